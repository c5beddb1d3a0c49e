// Package rule is the language of filters, agreements and eligibility: CEL, narrowed to what means the same in memory, in SQLite and
// in PostgreSQL.
//
// An [Env] knows the fields of a record. [Env.Compile] checks an expression against them and says everything that is wrong with it
// at once. A [Rule] answers for one record ([Rule.Eval]) or becomes a condition of SQL ([Rule.SQL]). Both are made from the
// same checked tree, in which numbers have one kind, names are resolved and nulls are guarded; every operation stands in one table
// (operations) with its types, its Go function and its SQL.
//
// What an expression means:
//
//   - A rule is true, false, or an error for that record: an int leaves 64 bits, a division by zero, a missing value. An error is
//     reported, never a silent no. As in CEL, false && error is false and true || error is true, in either order. In SQL an error
//     is NULL, and the three-valued logic of SQL gives the same answers. No translation makes the database itself fail: what could
//     overflow is computed where it can't, and checked. A caller for whom errors count selects the condition and counts its NULLs.
//
//   - Null is only ever the value of a nullable field. A strict Env refuses to read one without a guard (x != null && …, x == null || …,
//     x != null ? … : …, x.orValue(v)). A guarded Env ([Options]) puts the guard in: a comparison or function that reads a null
//     is false. So !(x < 5) is true where x is null, and x >= 5 is false.
//
//   - An int beside a double becomes a double. Two ints are divided only within won(…). Operands of arithmetic on doubles, and
//     what is rounded by won, are zero or between 1e-100 and 1e100 in size, so that no database can overflow; others are an error.
//     won(x) is floor(x + 0.5) in double arithmetic, for x within ±10¹⁵.
//
//   - Text is compared by code point; lower changes ASCII letters only; size counts code points. matches has no SQL.
//
//   - A date is a day. age and months_between count completed years and months and round down, so they are negative before the day. A
//     day that a shorter month lacks is its last day for months_between and within; for age it is 1 March (민법 158, 160).
//
//   - A parameter ([Param]) is what is in force on the as-of date: param("name"), a table as a function median_income(n), what the rules' own document
//     gives as params.name. Before its first day, and where a table has no row, it is an error.
//
//   - [Rule.Judge] answers where not everything is known. Then && and || settle what they can, as in SQL, and what is still missing is said.
//
//   - A list of records ([List]) is read as a whole: children.exists(c, …), all, size, and of what filter and map leave sum (of ints), min and max. One record
//     that settles it settles it, as with || and &&; the least of nothing is an error.
//
//   - working_days(a, b) counts by the Env's [Calendar]: the days after a, up to and with b.
package rule
