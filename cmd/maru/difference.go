package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// What a printed plan shows at most; --json has it all.
const (
	maxShownChanges     = 1000
	maxShownDifferences = 100 // of one change
	maxShownFindings    = 1000
)

// opSigns are how a change is marked.
var opSigns = map[string]struct{ sign, colour string }{"add": {"+", green}, "change": {"~", yellow}, "remove": {"-", red}}

// show prints a plan as a person reads it: what changes, field by field, what happens to tables, what is wrong.
func show(w io.Writer, reader lang.Tag, p *catalog.Plan) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	colours := painting(w)
	showChanges(out, colours, reader, p.Changes)
	for i, f := range p.Findings {
		if i == 0 && len(p.Changes) > 0 {
			fmt.Fprintln(out)
		}
		if i == maxShownFindings {
			fmt.Fprintln(out, lang.F("… 이 밖에 %d개가 더 있습니다 (모두 보기: --json)", "… and %d more (--json)", len(p.Findings)-i).In(reader))
			break
		}
		showFinding(out, colours, reader, f)
	}
	if len(p.Changes)+len(p.Findings) > 0 {
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, colours.in(bold, summary(p).In(reader)))
}

func showChanges(out io.Writer, colours paint, reader lang.Tag, changes []catalog.Change) {
	kind, name := 0, 0
	for _, c := range changes[:min(len(changes), maxShownChanges)] {
		kind, name = max(kind, len(c.Kind)), max(name, len(pathOf(c)))
	}
	for i, c := range changes {
		if i == maxShownChanges {
			fmt.Fprintln(out, lang.F("… 이 밖에 %d개가 더 있습니다 (모두 보기: --json)", "… and %d more (--json)", len(changes)-i).In(reader))
			return
		}
		op := opSigns[c.Op]
		line := colours.in(op.colour, op.sign+" "+pad(c.Kind, kind)+"  "+pad(pathOf(c), name)) + "  " + fit(c.Title.In(reader), maxCell)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
		for i, d := range c.Differences {
			if i == maxShownDifferences {
				fmt.Fprintln(out, "      …")
				break
			}
			showDifference(out, colours, d)
		}
		for _, s := range c.Steps {
			colour := blue
			if s.Loses > 0 {
				colour = red
			}
			fmt.Fprintln(out, "    "+colours.in(colour, "▸ "+plainText(s.Text.In(reader))))
		}
	}
}

// pathOf is a changed resource as commands take it.
func pathOf(c catalog.Change) string {
	if c.Project == "" {
		return c.Name
	}
	return c.Project + "/" + c.Name
}

func showDifference(out io.Writer, colours paint, d manifest.Difference) {
	const width = 80
	switch {
	case d.Before == "":
		fmt.Fprintln(out, "    "+colours.in(green, "+ "+plainText(d.Path)+": "+fit(d.After, width)))
	case d.After == "":
		fmt.Fprintln(out, "    "+colours.in(red, "- "+plainText(d.Path)+": "+fit(d.Before, width)))
	default:
		fmt.Fprintln(out, "    "+colours.in(yellow, "~ "+plainText(d.Path)+": ")+fit(d.Before, width)+" → "+fit(d.After, width))
	}
}

// severities are how findings are headed.
var severities = map[manifest.Severity]struct {
	word   lang.Text
	colour string
}{
	manifest.Error:   {lang.T("오류", "error"), red},
	manifest.Warning: {lang.T("주의", "warning"), yellow},
	manifest.Note:    {lang.T("알림", "note"), blue},
}

func showFinding(out io.Writer, colours paint, reader lang.Tag, f manifest.Finding) {
	s := severities[f.Severity]
	where := ""
	if f.Pos.File != "" {
		where = plainText(f.Pos.String()) + ": "
	}
	fmt.Fprintln(out, where+colours.in(s.colour, s.word.In(reader))+": "+plainText(f.Message.In(reader))+colours.in(faint, " ["+f.Code+"]"))
	if !f.Hint.Empty() {
		fmt.Fprintln(out, "  → "+plainText(f.Hint.In(reader)))
	}
}

// summary counts what a plan does.
func summary(p *catalog.Plan) lang.Text {
	ops, worst := map[string]int{}, map[manifest.Severity]int{}
	for _, c := range p.Changes {
		ops[c.Op]++
	}
	for _, f := range p.Findings {
		worst[f.Severity]++
	}
	if n := worst[manifest.Error]; n > 0 {
		return lang.F("오류가 %d개 있어 적용할 수 없습니다", "errors: %d; it can't be applied", n)
	}
	if len(p.Changes) == 0 {
		return lang.F("바뀌는 내용이 없습니다 (개정 %v)", "nothing to change (revision %v)", p.Base)
	}
	return lang.F("추가 %d건, 변경 %d건, 삭제 %d건 (기준 개정 %v)", "%d to add, %d to change, %d to remove (from revision %v)", ops["add"], ops["change"], ops["remove"], p.Base)
}
