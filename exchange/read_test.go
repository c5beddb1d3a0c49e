package exchange_test

import (
	"testing"

	"github.com/maru-city/maru/exchange"
)

func TestAnActiveAgreementLetsReadJustWhatItSays(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "incomes", "census", "panel", "numbers", "rare", "shelters")
		me := c.person(t, "housing", 1)
		if got, want := c.must(t, "people", 1), `{"person":"`+me+`","name":"김하늘","born":1999,"address":"서울특별시 종로구","district":"jongno","floor":3}`; got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
		records, receipt, err := c.read(t, "census", exchange.Request{Filter: `district == "jung"`})
		if err != nil || len(records) != 2 || receipt == 0 {
			t.Fatal(records, receipt, err)
		}
		t.Log(texts(t, records))
	})
}
