package lang

import "testing"

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		want Text
		got  Text
	}{
		{T("레코드 1,234,567건", "1,234,567 records"), F("레코드 %d건", "%d records", int64(1_234_567))},
		{T("-1,000", "-1,000"), F("%d", "%d", -1000)},
		{T("999", "999"), F("%d", "%d", uint32(999))},
		{T("개정 1234", "revision 1234"), F("개정 %v", "revision %v", int64(1234))},
		{T("제목 1,000", "1,000 title"), F("%[2]s %[1]d", "%[1]d %[2]s", 1000, T("제목", "title"))},
		{T("00042", "00042"), F("%05d", "%05d", 42)},
		{T("1.50", "1.50"), F("%.2f", "%.2f", 1.5)},
	} {
		if c.got != c.want {
			t.Errorf("got %+v, want %+v", c.got, c.want)
		}
	}
}
