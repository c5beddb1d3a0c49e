// Package tabular reads the tables that offices publish, whatever file they are in, as rows of text.
//
// [Open] looks at the content, not the name: CSV with any delimiter in UTF-8, UTF-16 or CP949, XLSX, XLS, JSON in its usual wrappings,
// JSON Lines, GeoJSON, Parquet. It finds where the names of the columns stand, in how many rows, or that there are none. A [Table] then
// gives its rows again and again from the start, each with its line; a row that can't be assigned to the columns surely has a Fault
// and is never guessed at.
//
// Cells are text as written; numbers of forms that keep them as numbers are in their shortest form, days as YYYY-MM-DD. What a cell means is
// decided elsewhere (infer, manifest.Type).
//
// The other way there is [WriteCSV], and [Cells] for workbooks: dates are dates there.
//
// Memory is bounded by [Limits], not by the file: a line of 100 MB, a zip that unpacks to terabytes, a file cut off in the middle
// are problems or faults of their rows.
package tabular
