package outlet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What CKAN's clients may ask for is done as CKAN does it, or refused by the name of the argument: never left out unsaid.
func TestTheDatastoreHeedsEveryArgument(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		p := c.action(t, "package_show", map[string]any{"id": "parks_city-parks"}, 200).Result
		id, _ := at(p, "resources", "0", "id").(string)
		for _, x := range []struct {
			args    map[string]any
			total   any
			records string
		}{
			{map[string]any{"fields": "lit", "distinct": true, "records_format": "lists"}, 2.0, "[[false] [true]]"},
			{map[string]any{"fields": "opened,lit", "distinct": "true", "sort": "lit desc", "records_format": "csv"}, 2.0, "2020-05-05,true\n2020-05-05,false\n"},
			{map[string]any{"fields": []string{"lit"}, "distinct": true, "limit": 1, "offset": 1, "records_format": "lists"}, 2.0, "[[true]]"},
			{map[string]any{"fields": []string{"_id", "lit"}, "distinct": true, "limit": 1, "records_format": "lists"}, 2500.0, "[[1 true]]"},
			{map[string]any{"fields": "_id", "limit": 2, "records_format": "lists"}, 2500.0, "[[1] [2]]"},
			{map[string]any{"fields": "no,name", "limit": 2, "records_format": "csv"}, 2500.0, "1,\"공원 <1> & \"\"숲\"\"\"\n2,\"공원 <2> & \"\"숲\"\"\"\n"},
			{map[string]any{"fields": "no,opened", "limit": 2, "records_format": "tsv"}, 2500.0, "1\t2020-05-05\n2\t2020-05-05\n"},
			{map[string]any{"fields": "_id,no", "limit": 2, "sort": "_id desc", "records_format": "lists"}, 2500.0, "[[2500 2500] [2499 2499]]"},
			{map[string]any{"fields": "no", "limit": 2, "sort": "lit, _id desc", "records_format": "lists"}, 2500.0, "[[2499] [2498]]"},
			{map[string]any{"fields": "no", "q": map[string]any{"name": "<25>"}, "records_format": "lists"}, 1.0, "[[25]]"},
			{map[string]any{"fields": "no", "q": map[string]any{"name": "공원 <25>", "no": 25}, "records_format": "lists"}, 1.0, "[[25]]"},
			{map[string]any{"fields": "no", "q": map[string]any{"no": "x"}, "records_format": "lists"}, 0.0, "[]"},
			{map[string]any{"fields": "no", "q": "숲 <25>", "records_format": "lists"}, 1.0, "[[25]]"}, // each word somewhere
			{map[string]any{"fields": "no", "q": "공원:* & 25:*", "plain": false, "limit": 1, "records_format": "lists"}, 56.0, "[[25]]"},
			{map[string]any{"fields": "no", "limit": 1, "include_total": false, "records_format": "lists"}, nil, "[[1]]"},
		} {
			x.args["resource_id"] = id
			got := c.action(t, "datastore_search", x.args, 200).Result
			if fmt.Sprint(at(got, "records")) != x.records || at(got, "total") != x.total {
				t.Errorf("%v: %v %v", x.args, at(got, "total"), at(got, "records"))
			}
		}
		for argument, args := range map[string]map[string]any{
			"records_format": {"records_format": "xml"}, "q": {"q": map[string]any{"nope": "x"}}, "sort": {"sort": "no sideways"}, "fields": {"fields": "no,nope"},
		} {
			args["resource_id"] = id
			if got := c.action(t, "datastore_search", args, 409); got.Error[argument] == nil {
				t.Errorf("%s: %+v", argument, got)
			}
		}
		if got := c.action(t, "datastore_search", map[string]any{"resource_id": id, "q": "공원 | 숲", "plain": false}, 409); got.Error["q"] == nil {
			t.Errorf("%+v", got)
		}
		first := c.action(t, "datastore_search", map[string]any{"resource_id": id, "filters": map[string]any{"lit": true}, "fields": []string{"no"}, "limit": 2, "records_format": "csv"}, 200).Result
		next, _ := at(first, "_links", "next").(string)
		if text, _ := c.get(t, next, http.StatusOK); !strings.Contains(text, `"records":"7\n10\n"`) || !strings.Contains(text, `"total":834`) {
			t.Errorf("%s: %s", next, text)
		}
		if got := c.action(t, "datastore_info", map[string]any{"id": id}, 200).Result; at(got, "meta", "count") != 2500.0 || at(got, "fields", "0", "id") != "no" || at(got, "fields", "0", "type") != "int8" {
			t.Errorf("%v", got)
		}
	})
}

func TestAPackagesLicenceSaysNoMoreThanIsKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for handle, want := range map[string]string{"parks_city-parks": "KOGL-1 공공누리 제1유형 true", "streams_gauges": "notspecified 이용 조건이 정해지지 않음 false"} {
			p := c.action(t, "package_show", map[string]any{"id": handle}, 200).Result
			if got := fmt.Sprint(at(p, "license_id"), " ", at(p, "license_title"), " ", at(p, "isopen")); got != want {
				t.Errorf("%s: %s", handle, got)
			}
		}
		list, _ := c.action(t, "license_list", nil, 200).Result.([]any)
		if len(list) < 5 || at(list, "0", "id") != "notspecified" {
			t.Errorf("%v", list)
		}
		if got := c.action(t, "package_search", map[string]any{"fq": "license_id:notspecified"}, 200).Result; at(got, "count") != 1.0 {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatCannotBeFoundFindsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for q, count := range map[string]float64{"%": 0, "'": 0, "% '": 0, "공원 %": 1, "시립 공": 1, "*": 2, "": 2} {
			if got := c.action(t, "package_search", map[string]any{"q": q}, 200).Result; at(got, "count") != count {
				t.Errorf("%q finds %v", q, at(got, "count"))
			}
		}
		for _, order := range []string{"views_recent desc", "name sideways"} {
			if got := c.action(t, "package_search", map[string]any{"sort": order}, 409); got.Error["sort"] == nil {
				t.Errorf("%s: %+v", order, got)
			}
		}
	})
}

func TestResourcesAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for _, x := range []struct {
			query any
			count float64
		}{{"name:공원", 4}, {"format:csv", 2}, {[]string{"name:공원", "format:csv"}, 1}, {"name:관리원", 0}} {
			if got := c.action(t, "resource_search", map[string]any{"query": x.query}, 200).Result; at(got, "count") != x.count {
				t.Errorf("%v: %v", x.query, at(got, "count"))
			}
		}
		for _, query := range []string{"공원", "nope:x"} {
			if got := c.action(t, "resource_search", map[string]any{"query": query}, 409); got.Error["query"] == nil {
				t.Errorf("%s: %+v", query, got)
			}
		}
	})
}

func TestTheAddressOfHelpAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for _, name := range []string{"package_search", "datastore_search", "resource_search", "license_list", "datastore_info", "help_show", "organization_show"} {
			text, _ := c.get(t, "/ckan/api/3/action/help_show?name="+name, 200)
			if !strings.Contains(text, `"success":true`) {
				t.Errorf("%s: %s", name, text)
			}
		}
		if got := c.action(t, "help_show", map[string]any{"name": "package_create"}, 404); got.Success {
			t.Errorf("%+v", got)
		}
		if got := c.action(t, "organization_show", map[string]any{"id": "green"}, 200).Result; at(got, "created") != nil {
			t.Errorf("an agency was made %v", at(got, "created"))
		}
	})
}
