package exchange_test

import (
	"testing"

	"github.com/maru-city/maru/engine/problem"
)

func TestTheReasonOfWhoLooksCanBeReadByWhomItIsAbout(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		d := c.catalog.Snapshot().Dataset("register", "people")
		handle, err := c.Handle(d, c.person(t, "register", 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, reason := range []string{"\u200b\u200b\u200b\u200b\u200b", "a\u202e\u202d\u2066\u2069\u0000\u0007b", " \t\r\n \u3000 x"} {
			if _, _, err := c.Reveal(t.Context(), steward, "register", "people", handle, reason); problem.Code(err) != "reveal.reason" {
				t.Errorf("%q: %v", reason, err)
			}
		}
		if _, _, err := c.Reveal(t.Context(), steward, "register", "people", handle, "주소를\u202e 확인\x00합니다\r\n(민원 12)"); err != nil {
			t.Fatal(err)
		}
		list, err := c.Receipts(t.Context(), citizen(1), 0, 1)
		if err != nil || list[0].Reason != "주소를 확인합니다  (민원 12)" {
			t.Errorf("%q %v", list[0].Reason, err)
		}
	})
}
