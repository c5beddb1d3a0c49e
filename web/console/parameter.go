package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

type parametersView struct {
	URL   *url.URL
	Page  []*manifest.Resource
	Slice components.Slice
	Today manifest.Day
	Empty bool
}

func (c *Console) parameters(r *http.Request) (templ.Component, error) {
	list := c.catalog.Snapshot().List("Parameter")
	q, asked := r.URL.Query(), components.Asked(r.URL)
	found := filter(list, func(x *manifest.Resource) bool { return catalog.Matches(x, asked) })
	v := parametersView{URL: r.URL, Today: c.today(), Empty: len(list) == 0}
	v.Page, v.Slice = cut(ranked(found, asked, titled), nameOf, q, pageSize)
	return parametersPage(v), nil
}

func (c *Console) today() manifest.Day {
	return manifest.Day(c.now().In(manifest.Seoul).Format(time.DateOnly))
}

type parameterView struct {
	Resource *manifest.Resource
	Spec     *manifest.Parameter
	Values   []manifest.ParameterValue // the newest first
	Keys     []string                  // of tables, over all values
	By       lang.Text                 // what tables are looked up by: the title of the term of that name, or the name
	Term     *manifest.Term            // the term of that name, or nil
	Today    manifest.Day
	Document document
}

func (c *Console) parameter(r *http.Request) (templ.Component, error) {
	s, name := c.catalog.Snapshot(), r.PathValue("name")
	resource := s.Get(manifest.Key{Kind: "Parameter", Name: name})
	if resource == nil {
		return nil, missing("Parameter", name)
	}
	v := parameterView{Resource: resource, Spec: resource.Spec.(*manifest.Parameter), Today: c.today()}
	v.Values = slices.Clone(v.Spec.Sorted())
	slices.Reverse(v.Values)
	if v.By = lang.T(v.Spec.By, v.Spec.By); v.Spec.By != "" {
		if t := s.Term(strings.ReplaceAll(v.Spec.By, "_", "-")); t != nil {
			v.By, v.Term = t.Titled(), t.Term
		}
	}
	for _, value := range v.Values {
		if keys := value.Keys(); len(keys) > len(v.Keys) {
			v.Keys = keys
		}
	}
	var err error
	v.Document, err = c.document(r.Context(), s, resource)
	return parameterPage(v), err
}

// inForce returns the value in force on a day, or nil. Days compare as text.
func inForce(p *manifest.Parameter, day manifest.Day) *manifest.ParameterValue {
	var found *manifest.ParameterValue
	for _, v := range p.Sorted() {
		if v.From <= day {
			found = &v
		}
	}
	return found
}
