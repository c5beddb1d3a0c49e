package city

import "time"

// day is a calendar day as the number of days since 1970-01-01.
type day int32

func dayOf(t time.Time) day { return civil(t.Year(), int(t.Month()), t.Day()) }

// civil is the day of a date of the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms). A month beyond 1–12 runs
// on into the years; a day that the month doesn't have runs on into the next month.
func civil(y, m, d int) day {
	y, m = y+(m-1)/12, (m-1)%12+1
	if m < 1 {
		y, m = y-1, m+12
	}
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return day(era*146097 + doe - 719468)
}

// date is the year, month and day of d.
func (d day) date() (year, month, dayOfMonth int) {
	z := int(d) + 719468
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	dayOfMonth = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, dayOfMonth
}

// String writes d as YYYY-MM-DD.
func (d day) String() string {
	y, m, n := d.date()
	var b [10]byte
	b[0], b[1], b[2], b[3], b[4] = byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-'
	b[5], b[6], b[7] = byte('0'+m/10), byte('0'+m%10), '-'
	b[8], b[9] = byte('0'+n/10), byte('0'+n%10)
	return string(b[:])
}

// yearsTo is the age on the day at of someone born on d, in completed years.
func (d day) yearsTo(at day) int {
	y1, m1, d1 := d.date()
	y2, m2, d2 := at.date()
	years := y2 - y1
	if m2 < m1 || m2 == m1 && d2 < d1 {
		years--
	}
	return years
}

// month is the month of d as YYYY-MM.
func (d day) month() string { return d.String()[:7] }

// back is the same day of an earlier month; months may be over twelve. A 31st may run on into the next month.
func (d day) back(months int) day {
	y, m, n := d.date()
	return civil(y, m-months, n)
}
