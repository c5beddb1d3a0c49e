package infer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// YAML writes the draft as a manifest with its doubts as comments, in the language of the reader.
func (d *Draft) YAML(t lang.Tag) []byte {
	w := &writer{tag: t}
	if d.Project != "" {
		d.project(w)
	}
	w.comment("", lang.F("%s개 행을 확인하여 만든 초안입니다. 살펴보실 내용은 # 뒤에 적었습니다. class가 없는 항목은 용어의 등급을 따르고, 용어도 없으면 internal입니다",
		"A draft made from %s rows. What to look at stands behind #. A field without class has its term's, or is internal", grouped(d.Rows)))
	w.doubts("", d.about(""))
	w.line("kind: Dataset")
	w.line("name: " + scalar(d.Name))
	w.line("title: " + scalar(d.Dataset.Title.In(t)))
	w.doubts("", d.about("key"))
	if len(d.Dataset.Key) > 0 {
		names := make([]string, len(d.Dataset.Key))
		for i, k := range d.Dataset.Key {
			names[i] = scalar(k)
		}
		w.line("key: [" + strings.Join(names, ", ") + "]")
	}
	w.doubts("", d.about("subject"))
	if d.Dataset.Subject != "" {
		w.line("subject: " + scalar(d.Dataset.Subject))
	}
	w.line("fields:")
	width := 0
	for _, f := range d.Dataset.Fields {
		width = max(width, min(len(f.Name), 28))
	}
	for _, f := range d.Dataset.Fields {
		w.doubts("  ", d.about("fields."+f.Name))
		w.line(fmt.Sprintf("  %-*s %s", width+1, scalar(f.Name)+":", flow(f)))
	}
	d.source(w)
	return []byte(w.String())
}

func (d *Draft) project(w *writer) {
	w.comment("", lang.T("이 폴더에는 사업이 없어 함께 적었습니다. 시범(pilot) 단계부터는 맡은 기관(owner)을 정해야 합니다",
		"this folder has no project yet; from pilot on it needs an owner, an agency"))
	w.line("kind: Project")
	w.line("name: " + scalar(d.Project))
	w.line("title: " + scalar(strings.ReplaceAll(d.Project, "-", " ")))
	w.line("lifecycle: idea")
	w.line("---")
}

// about lists the doubts about one place.
func (d *Draft) about(at string) (out []Doubt) {
	for _, doubt := range d.Doubts {
		if doubt.At == at {
			out = append(out, doubt)
		}
	}
	return out
}

// flow writes a field as a map on one line.
func flow(f manifest.Field) string {
	var parts []string
	add := func(key, value string) { parts = append(parts, key+": "+value) }
	if f.Term != "" {
		add("term", scalar(f.Term))
	}
	if !f.Title.Empty() {
		add("title", scalar(f.Title.Ko))
	}
	if f.Type != "" {
		add("type", string(f.Type))
	}
	if f.Length > 0 {
		add("length", strconv.Itoa(f.Length))
	}
	if f.Pattern != "" {
		add("pattern", quoted(f.Pattern))
	}
	if f.Class != "" {
		add("class", string(f.Class))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (d *Draft) source(w *writer) {
	s := d.Dataset.Source
	w.line("source:")
	for _, part := range []struct{ key, value string }{{"file", s.File}, {"database", s.Database}, {"table", s.Table}, {"since", s.Since}, {"secret", s.Secret}, {"schedule", s.Schedule}, {"sheet", s.Sheet}, {"items", s.Items}, {"encoding", s.Encoding}} {
		if part.value != "" {
			w.line("  " + part.key + ": " + scalar(part.value))
		}
	}
	if s.Header != nil {
		w.line("  header: " + strconv.Itoa(*s.Header))
	}
	if s.Skip > 0 {
		w.line("  skip: " + strconv.Itoa(s.Skip))
	}
	if len(s.Empty) > 0 {
		texts := make([]string, len(s.Empty))
		for i, e := range s.Empty {
			texts[i] = quoted(e)
		}
		w.line("  empty: [" + strings.Join(texts, ", ") + "]")
	}
	if len(d.LeftOut) > 0 {
		names := make([]string, len(d.LeftOut))
		for i, n := range d.LeftOut {
			names[i] = quoted(n)
		}
		w.comment("  ", lang.F("이름도 값도 없거나 행 번호뿐인 열은 제외했습니다: %s", "left out, for they have no name and no values but row numbers: %s", strings.Join(names, ", ")))
	}
	if len(s.Map) == 0 {
		return
	}
	w.line("  map:")
	columns := make([]string, 0, len(s.Map))
	for column := range s.Map {
		columns = append(columns, column)
	}
	order := map[string]int{}
	for i, f := range d.Dataset.Fields {
		order[f.Name] = i
	}
	slices.SortFunc(columns, func(a, b string) int { return order[s.Map[a]] - order[s.Map[b]] })
	for _, column := range columns {
		w.line("    " + scalar(column) + ": " + scalar(s.Map[column]))
	}
}

type writer struct {
	strings.Builder
	tag lang.Tag
}

func (w *writer) line(s string) { w.WriteString(s + "\n") }

// comment writes a text as one comment line. Characters that would end the line are gone.
func (w *writer) comment(indent string, text lang.Text) {
	w.line(indent + "# " + plainLong(text.In(w.tag)))
}

func (w *writer) doubts(indent string, list []Doubt) {
	for _, d := range list {
		text := d.Text
		if len(d.Examples) > 0 {
			text = lang.F("%s (예: %s)", "%s (such as %s)", text, listed(d.Examples))
		}
		w.comment(indent, text)
	}
}

func plainLong(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xFEFF || !strconv.IsPrint(r) && r != ' '
	}), " ")
}

var (
	bareScalar = regexp.MustCompile(`^[A-Za-z가-힣][A-Za-z0-9가-힣_./·-]*(?: [A-Za-z0-9가-힣_./·-]+)*$`)
	yamlWord   = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null|nan|inf|y|n|t|f)$`)
)

// scalar writes a text bare where YAML takes it for that text, else quoted.
func scalar(s string) string {
	if bareScalar.MatchString(s) && !yamlWord.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted writes a text in double quotes, with the escapes of YAML 1.2 (5.7).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "?") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7F || r >= 0x80 && !strconv.IsPrint(r) && r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04X`, r)
		case !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
