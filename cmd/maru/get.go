package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/manifest"
)

// listed is a resource in a list of the server.
type listed struct {
	Kind       string    `json:"kind"`
	Project    string    `json:"project,omitempty"`
	Name       string    `json:"name"`
	Title      lang.Text `json:"title"`
	Home       string    `json:"home"`
	Vocabulary string    `json:"vocabulary,omitempty"`
}

// path is where the resource lies under /resources.
func (l listed) path() string {
	project := l.Project
	if project == "" {
		project = "-"
	}
	return "/resources/" + l.Kind + "/" + url.PathEscape(project) + "/" + url.PathEscape(l.Name)
}

// full is the name as commands take it.
func (l listed) full() string {
	if l.Project == "" {
		return l.Name
	}
	return l.Project + "/" + l.Name
}

// getCommand prints what the catalog holds.
func getCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "get KIND [NAME]",
		Short: lang.T("카탈로그에 등록된 내용을 보여 줍니다", "print what the catalog holds").In(reader),
		Long:  lang.F("종류: %s. 종류 이름은 대소문자와 단수·복수를 가리지 않습니다.", "Kinds: %s; in any case, singular or plural.", strings.Join(kindNames(), ", ")).In(reader),
		Args:  cobra.RangeArgs(1, 2),
	}
	connect := serverFlag(c, reader)
	form := c.Flags().StringP("output", "o", "table", lang.T("출력 형식: table, yaml, json", "form of the output: table, yaml, json").In(reader))
	query := c.Flags().StringP("query", "q", "", lang.T("이름이나 제목에서 찾을 검색어", "a part of the name or title").In(reader))
	c.RunE = func(c *cobra.Command, args []string) error {
		kind, err := kindNamed(singular(args[0]), kindNames())
		if err != nil {
			return err
		}
		if !slices.Contains([]string{"table", "yaml", "json"}, *form) {
			return problem.New("get.output", 400, lang.F("없는 출력 형식입니다: %q", "there is no form of output %q", *form)).
				Hinting(lang.T("table, yaml, json 가운데 하나를 쓰세요", "use table, yaml or json"))
		}
		server, err := connect()
		if err != nil {
			return err
		}
		if len(args) == 2 {
			l, err := server.find(c.Context(), kind, args[1])
			if err != nil {
				return err
			}
			return printOne(c, reader, server, l, *form)
		}
		values := url.Values{"kind": {kind.Name}, "limit": {"1000"}}
		if *query != "" {
			values.Set("q", *query)
		}
		list, err := all[listed](c.Context(), server, "/resources", values, 0)
		if err != nil {
			return err
		}
		return printList(c, reader, server, list, *form)
	}
	return c
}

func kindNames() (names []string) {
	for _, k := range manifest.Kinds {
		names = append(names, k.Name)
	}
	return names
}

// singular takes the plural's ending off a kind.
func singular(written string) string {
	for _, name := range kindNames() {
		for _, plural := range []string{name + "s", name + "es", strings.TrimSuffix(name, "y") + "ies"} {
			if strings.EqualFold(written, plural) {
				return name
			}
		}
	}
	return written
}

// find turns a name as it was written into a resource: project/name, or a name alone where only one project has it.
func (c *client) find(ctx context.Context, kind manifest.Kind, written string) (listed, error) {
	project, name, both := strings.Cut(written, "/")
	if !both {
		project, name = "", written
	}
	l := listed{Kind: kind.Name, Project: project, Name: name}
	if kind.City || both {
		return l, nil
	}
	list, err := all[listed](ctx, c, "/resources", url.Values{"kind": {kind.Name}, "limit": {"1000"}}, 0)
	if err != nil {
		return l, err
	}
	var found, names []string
	for _, item := range list {
		if names = append(names, item.Name); item.Name == name {
			found, l = append(found, item.full()), item
		}
	}
	switch {
	case len(found) == 1:
		return l, nil
	case len(found) > 1:
		if here, err := projectOf("."); err == nil && slices.Contains(found, here+"/"+name) { // the folder one works in
			return listed{Kind: kind.Name, Project: here, Name: name}, nil
		}
		return l, problem.New("resource.ambiguous", 409, lang.F("같은 이름이 여러 개 있습니다: %s (%s)", "several are called %s: %s", name, strings.Join(found, ", "))).
			Hinting(lang.T("‘사업/이름’ 형식으로 쓰세요", "write project/name"))
	}
	hint := lang.F("전체 목록: maru get %s", "what there is: maru get %s", strings.ToLower(kind.Name))
	if near := manifest.Nearest(name, names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return l, problem.New("resource.unknown", 404, lang.F("%s 목록에 없는 이름입니다: %s", "there is no %s %s", kind.Title, name)).Hinting(hint)
}

// printList prints resources: a line each, or their documents.
func printList(c *cobra.Command, reader lang.Tag, server *client, list []listed, form string) error {
	out := c.OutOrStdout()
	switch form {
	case "json":
		return printJSON(out, list)
	case "yaml":
		first := true
		for _, l := range list {
			if l.Vocabulary != "" {
				continue // it has no document of its own
			}
			if !first {
				fmt.Fprintln(out, "---")
			}
			first = false
			if err := printOne(c, reader, server, l, form); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(out, lang.T("등록된 내용이 없습니다", "there are none").In(reader))
		return nil
	}
	rows := [][]string{heads(reader, lang.T("이름", "NAME"), lang.T("제목", "TITLE"), lang.T("관리하는 사업", "KEPT BY"))}
	for _, l := range list {
		rows = append(rows, []string{l.full(), l.Title.In(reader), l.Home})
	}
	table(out, rows)
	return nil
}

// one is a resource as the server tells it; Raw is the whole of it.
type one struct {
	listed
	File     string   `json:"file"`
	Revision int64    `json:"revision"`
	Text     string   `json:"text"`
	Uses     []listed `json:"uses"`
	UsedBy   []listed `json:"used_by"`
	Users    int      `json:"users"`
	Fields   []struct {
		Name, Term, Type, Class string
		Title                   lang.Text
		Key, Required           bool
	} `json:"fields"`
	Document json.RawMessage `json:"document"`
}

// printOne prints one resource.
func printOne(c *cobra.Command, reader lang.Tag, server *client, l listed, form string) error {
	var raw json.RawMessage
	if err := server.get(c.Context(), l.path(), nil, &raw); err != nil {
		return err
	}
	out := c.OutOrStdout()
	if form == "json" {
		return printJSON(out, raw)
	}
	var r one
	if err := json.Unmarshal(raw, &r); err != nil {
		return server.strange()
	}
	if form == "yaml" {
		if r.Text == "" { // a vocabulary's term: what it says, in the JSON that YAML takes
			return printJSON(out, r.Document)
		}
		_, err := io.WriteString(out, strings.TrimRight(r.Text, "\n")+"\n")
		return err
	}
	var standing lang.Text
	if r.Kind == "Agreement" {
		var err error
		if standing, err = server.standing(c.Context(), r.full()); err != nil {
			return err
		}
	}
	describe(out, reader, r, standing)
	return nil
}

// standing says how an agreement stands, in a line; nothing for those who may not see it.
func (c *client) standing(ctx context.Context, path string) (out lang.Text, err error) {
	type version struct {
		Version  int64
		State    exchange.State
		Until    string
		Steward  string
		Privacy  string `json:"privacy_officer"`
		Personal bool
	}
	var s struct{ Holds, Waits, Last *version }
	err = c.get(ctx, "/agreements/"+path, nil, &s)
	switch {
	case problem.Code(err) == "auth.refused":
		return out, nil
	case err != nil:
		return out, err
	case s.Last == nil:
		return out, c.strange()
	}
	say := func(v *version) lang.Text {
		state := exchange.StateTitle(v.State)
		if v.State == exchange.Active {
			return lang.F("%[2]s (%[1]d판, %[3]s까지)", "%[2]s (version %[1]d, until %[3]s)", v.Version, state, v.Until)
		}
		if v.State != exchange.Requested {
			return lang.F("%[2]s (%[1]d판)", "%[2]s (version %[1]d)", v.Version, state)
		}
		missing := lang.T("개인정보 보호책임자", "the privacy officer")
		switch {
		case v.Steward == "" && v.Personal:
			missing = lang.T("데이터 관리자와 개인정보 보호책임자", "the steward and the privacy officer")
		case v.Steward == "":
			missing = lang.T("데이터 관리자", "the steward")
		}
		return lang.F("%[1]d판은 %[2]s의 승인을 기다립니다", "version %[1]d waits for approval by %[2]s", v.Version, missing)
	}
	if s.Holds != nil && s.Waits != nil {
		return lang.F("%[1]s; %[2]s", "%[1]s; %[2]s", say(s.Holds), say(s.Waits)), nil
	}
	for _, v := range []*version{s.Holds, s.Waits, s.Last} {
		if v != nil {
			return say(v), nil
		}
	}
	return out, nil
}

// describe prints a resource for a person.
func describe(out io.Writer, reader lang.Tag, r one, standing lang.Text) {
	title := r.Title.In(reader)
	fmt.Fprintln(out, painting(out).in(bold, plainText(r.Kind+" "+r.full()))+"  "+plainText(title))
	line := func(name, value lang.Text) {
		if value.In(reader) != "" {
			fmt.Fprintln(out, "  "+pad(name.In(reader), 10)+" "+plainText(value.In(reader)))
		}
	}
	same := func(s string) lang.Text { return lang.Text{Ko: s} }
	line(lang.T("사업", "kept by"), same(r.Home))
	line(lang.T("상태", "state"), standing)
	line(lang.T("파일", "file"), same(r.File))
	line(lang.T("용어집", "vocabulary"), same(r.Vocabulary))
	line(lang.T("개정", "revision"), same(fmt.Sprint(r.Revision)))
	line(lang.T("참조 대상", "uses"), same(someOf(r.Uses, len(r.Uses))))
	line(lang.T("쓰는 곳", "used by"), same(someOf(r.UsedBy, r.Users)))
	if len(r.Fields) == 0 && r.Kind != "Vocabulary" {
		fmt.Fprintln(out)
		for text := range strings.SplitSeq(strings.TrimRight(r.Text, "\n"), "\n") {
			fmt.Fprintln(out, "  "+plainText(text))
		}
	}
	if len(r.Fields) == 0 {
		return
	}
	fmt.Fprintln(out)
	rows := [][]string{heads(reader, lang.T("항목", "FIELD"), lang.T("제목", "TITLE"), lang.T("유형", "TYPE"), lang.T("용어", "TERM"), lang.T("등급", "CLASS"), lang.T("", ""))}
	for _, f := range r.Fields {
		mark := ""
		switch {
		case f.Key:
			mark = lang.T("식별 항목", "key").In(reader)
		case f.Required:
			mark = lang.T("필수", "required").In(reader)
		}
		rows = append(rows, []string{f.Name, f.Title.In(reader), f.Type, f.Term, f.Class, mark})
	}
	table(out, rows)
}

// someOf names the first of some resources.
func someOf(list []listed, total int) string {
	const shown = 12
	var names []string
	for _, l := range list[:min(shown, len(list))] {
		names = append(names, l.Kind+" "+l.full())
	}
	if total > shown {
		names = append(names, fmt.Sprintf("… (%d)", total))
	}
	return strings.Join(names, ", ")
}
