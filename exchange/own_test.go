package exchange_test

import (
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/registry"
)

func TestACitizenSeesWhatTheOwnersPeopleReadForTheirWork(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		d := c.catalog.Snapshot().Dataset("register", "people")
		own := func(filter string, numbers ...int64) {
			t.Helper()
			seen := registry.Seen{Fields: []string{"person", "name"}, Filter: filter, Records: int64(len(numbers))}
			for _, n := range numbers {
				seen.Subjects = append(seen.Subjects, c.person(t, "register", n))
			}
			if err := c.Own(t.Context(), steward, d, seen); err != nil {
				t.Fatal(err)
			}
		}
		own("", 1)
		own(`name == "이바다"`, 1, 2, 2)
		own("")
		if err := c.Own(t.Context(), steward, d, registry.Seen{Fields: []string{"name"}, Records: 1, Subjects: []string{"nobody's"}}); err != nil {
			t.Error("a record that says of nobody whom it is about can't be mended:", err)
		}
		list, err := c.Receipts(t.Context(), citizen(1), 0, 10)
		if err != nil || len(list) != 2 || len(c.receipts(t, 2)) != 1 || len(c.receipts(t, 3)) != 0 {
			t.Fatal(list, err)
		}
		one := list[1]
		if got := one.Sentence(c.catalog.Snapshot()).Ko; one.Kind != "own" || one.Why().Ko != "소관 업무 처리" || !strings.Contains(got, "기록과(주민등록)에서 ‘주민’ 자료의 개인식별자, name 항목을 열람했습니다") && !strings.Contains(got, "기록과(주민등록)에서 ‘주민’ 자료의 개인식별자, 이름 항목을 열람했습니다") {
			t.Errorf("%s %s", got, one.Why())
		}
		if list[0].People != 2 || list[0].Records != 3 || list[0].Actor != steward.Actor() {
			t.Errorf("%+v", list[0])
		}
		_, proof, err := c.Prove(t.Context(), citizen(1), list[0].ID)
		if err != nil || strings.Contains(string(proof.Private), "이바다") {
			t.Errorf("the filter tells of another: %s %v", proof.Private, err)
		}
		own(`person == "` + c.person(t, "register", 3) + `" && name > "나"`)
		if list, err := c.Receipts(t.Context(), citizen(3), 0, 10); err != nil || len(list) != 1 || list[0].Records != 0 || !strings.Contains(list[0].Sentence(c.catalog.Snapshot()).Ko, "해당하는 내용이 없었습니다") {
			t.Errorf("whom a filter names learns that it was asked about them: %+v %v", list, err)
		}
		c.log.Close()
		if err := c.Own(t.Context(), steward, d, registry.Seen{Fields: []string{"name"}, Records: 1, Subjects: []string{c.person(t, "register", 1)}}); err == nil {
			t.Error("there is no log, and it can be read")
		}
	})
}

// A read by an agreement of records about persons comes in no order, and of others in that of their keys.
func TestRecordsAboutPersonsComeInNoOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census", "shelters")
		orders := map[string]bool{}
		for range 40 {
			var names []string
			err := c.Read(t.Context(), program, exchange.Request{Agreement: "housing/census", Purpose: "eligibility"}, func(_ []*catalog.Field, p exchange.Part) error {
				for _, rec := range p.Records {
					text, err := rec.FieldsJSON()
					if err != nil {
						return err
					}
					names = append(names, string(text))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			orders[strings.Join(names, "")] = true
		}
		if len(orders) < 5 {
			t.Errorf("%d orders of 40 reads", len(orders))
		}
		shelters, _, err := c.read(t, "shelters", exchange.Request{})
		if err != nil || len(shelters) != 3 {
			t.Fatal(len(shelters), err)
		}
		for i, name := range []string{"S1", "S2", "S3"} {
			if text, err := shelters[i].FieldsJSON(); err != nil || !strings.Contains(string(text), name) {
				t.Errorf("shelters in another order than that of their keys: %d is %s %v", i, text, err)
			}
		}
	})
}
