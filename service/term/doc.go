// Package term is the legal clock: by when something must be done, in working hours, working days, weeks or months, by the calendar of a city.
//
// A [Clock] is a term, when it began, the time that doesn't count (a supplement is awaited) and how it was extended; [Clock.Due] says when it ends. It follows 민원처리법 제19조,
// 같은 법 시행령 제19조–제21조 and 제24조, and 민법 제156조–제161조 where those refer to it. A [Calendar] covers whole years: a day of another year is an error, not a guess.
//
// Nothing here tells the time, sets timers or stores anything.
package term
