package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// paint colours text, where the output is a terminal and NO_COLOR isn't set.
type paint bool

// painting says whether an output takes colours.
func painting(w io.Writer) paint {
	return paint(terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// terminal reports whether a person is at the other end of an input or output.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The colours, as SGR parameters.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	faint  = "2"
	bold   = "1"
)

func (p paint) in(colour, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// cells measures text as terminals show it: Hangul and Hanja take two columns. The environment doesn't change it, so that outputs are alike everywhere.
var cells = &runewidth.Condition{EastAsianWidth: false, StrictEmojiNeutral: true}

// pad fills text up to a width, in columns.
func pad(text string, width int) string { return cells.FillRight(text, width) }

// fit cuts text to a width, in columns, and takes control characters out: what is in a file must not move a person's cursor.
func fit(text string, width int) string {
	return cells.Truncate(plainText(text), width, "…")
}

func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)
}

// maxCell is how wide a column of a table may be.
const maxCell = 60

// table prints rows in columns, the first row as their heads.
func table(w io.Writer, rows [][]string) {
	p := painting(w)
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = fit(cell, maxCell)
			widths[i] = max(widths[i], cells.StringWidth(row[i]))
		}
	}
	out := bufio.NewWriter(w)
	defer out.Flush()
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(pad(cell, widths[i]+2))
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 {
			text = p.in(bold, text)
		}
		fmt.Fprintln(out, text)
	}
}

// confirm asks a person at a terminal; without one it is a problem that says how to do without.
func confirm(c *cobra.Command, reader lang.Tag, question lang.Text) (bool, error) {
	in := c.InOrStdin()
	if !terminal(in) {
		return false, problem.New("apply.confirm", 400, lang.T("터미널이 아니어서 물어볼 수 없습니다", "there is no terminal to ask at")).
			Hinting(lang.T("묻지 않고 진행하려면 --yes를 붙이세요", "add --yes to do it without asking"))
	}
	fmt.Fprint(c.ErrOrStderr(), question.In(reader)+" [y/N] ")
	line, err := bufio.NewReader(io.LimitReader(in, 100)).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "예", "네", "ㅇ":
		return true, nil
	}
	return false, nil
}
