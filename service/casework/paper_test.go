package casework_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/service/casework"
)

const lease = "임대차계약서"

// pdf is the least that says of itself that it is one.
var pdf = []byte("%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")

func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packed(t testing.TB, first, holds string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: first, Method: zip.Store})
	if err == nil {
		_, err = w.Write([]byte(holds))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFilesAreWhatTheyHold(t *testing.T) {
	c := open(t, t.TempDir()+"/maru.db")
	d, err := c.Begin(t.Context(), citizen("1"), []string{rent})
	if err != nil {
		t.Fatal(err)
	}
	hangul := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 2048)...)
	hangul = append(hangul, "HWP Document File"...)
	for _, x := range []struct {
		name    string
		content []byte
		want    string // the name that is kept, or the code
	}{
		{"계약서.pdf", pdf, "계약서.pdf"},
		{"C:\\Users\\me\\계약서.PDF", pdf, "계약서.PDF"},
		{"../../etc/passwd.pdf", pdf, "passwd.pdf"},
		{"계약서", pdf, "계약서.pdf"},
		{"a\u202efdp.png", picture(t), "afdp.png"},
		{"  .  ", picture(t), "file.png"},
		{strings.Repeat("가", 300) + ".png", picture(t), strings.Repeat("가", 96) + ".png"},
		{"신청서.hwp", hangul, "신청서.hwp"},
		{"신청서.hwpx", packed(t, "mimetype", "application/hwp+zip"), "신청서.hwpx"},
		{"빈.pdf", nil, "paper.empty"},
		{"그림.pdf", picture(t), "paper.name"},
		{"계약서.png", pdf, "paper.name"},
		{"계약서.pdf", []byte("MZ\x90\x00 a program"), "paper.kind"},
		{"계약서.pdf", []byte("<html><script>alert(1)</script></html>"), "paper.kind"},
		{"그림.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "paper.kind"},
		{"묶음.zip", packed(t, "a.txt", "a"), "paper.kind"},
		{"신청서.hwpx", packed(t, "mimetype", "application/epub+zip"), "paper.kind"},
		{"큰.pdf", append(bytes.Clone(pdf), make([]byte, casework.MaxPaper)...), "paper.size"},
	} {
		p, err := c.AttachToDraft(t.Context(), citizen("1"), d.ID, casework.Upload{Name: x.name, Content: x.content})
		got := problem.Code(err)
		if err == nil {
			got = p.Name
		}
		if got != x.want {
			t.Errorf("%q: %q, want %q (%v)", x.name, got, x.want, err)
		}
	}
}

// Drafts are one for the same services, somebody's own, and gone after thirty days with what belongs to them.
func TestAnApplicationCanBeGoneOnWith(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		d, err := c.Begin(t.Context(), citizen("1"), []string{rent, grant})
		if err != nil {
			t.Fatal(err)
		}
		if c.reads != 0 {
			t.Errorf("%d reads for a draft", c.reads)
		}
		if _, err := c.Save(t.Context(), citizen("1"), d.ID, said(t, map[string]any{"monthly_rent": "a lot"})); problem.Code(err) != "service.facts" {
			t.Error(err)
		}
		if _, err := c.Save(t.Context(), citizen("1"), d.ID, said(t, map[string]any{"pets": 2})); problem.Code(err) != "service.facts" {
			t.Error(err)
		}
		if _, err := c.Save(t.Context(), citizen("1"), d.ID, said(t, map[string]any{"monthly_rent": 450_000})); err != nil {
			t.Fatal(err)
		}
		p, err := c.AttachToDraft(t.Context(), citizen("1"), d.ID, casework.Upload{Name: "계약서.pdf", Document: lease, Content: pdf})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.AttachToDraft(t.Context(), citizen("1"), d.ID, casework.Upload{Name: "계약서.pdf", Document: "졸업증명서", Content: pdf}); problem.Code(err) != "paper.document" {
			t.Error(err)
		}
		c.clock.Advance(20 * 24 * time.Hour)
		again, err := c.Begin(t.Context(), citizen("1"), []string{rent, grant})
		if err != nil || again.ID != d.ID || len(again.Papers) != 1 || len(again.Answers) != 1 {
			t.Fatalf("%+v: %v", again, err)
		}
		for _, other := range []error{
			second1(c.Draft(t.Context(), citizen("2"), d.ID)), second1(c.Save(t.Context(), citizen("2"), d.ID, nil)), c.Discard(t.Context(), citizen("2"), d.ID),
			second1(c.AttachToDraft(t.Context(), citizen("2"), d.ID, casework.Upload{Name: "a.pdf", Content: pdf})), c.DetachFromDraft(t.Context(), citizen("2"), d.ID, p.ID),
			second1(c.Submit(t.Context(), citizen("2"), casework.Submission{Draft: d.ID})),
		} {
			if problem.Code(other) != "draft.unknown" {
				t.Errorf("another's draft: %v", other)
			}
		}
		if _, err := c.OpenPaper(t.Context(), citizen("2"), d.ID, p.ID); problem.Code(err) != "draft.unknown" {
			t.Error(err)
		}
		c.clock.Advance(29 * 24 * time.Hour) // beginning again was writing to it
		if n, err := c.Expire(t.Context()); n != 0 || err != nil {
			t.Errorf("%d expired: %v", n, err)
		}
		c.clock.Advance(25 * time.Hour)
		if n, err := c.Expire(t.Context()); n != 1 || err != nil {
			t.Errorf("%d expired: %v", n, err)
		}
		if n := c.kept(t); n != 0 {
			t.Errorf("%d files are left", n)
		}
		for range 20 { // each is for other services: no more than twenty are kept
			d, err = c.Begin(t.Context(), citizen("1"), []string{rent})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Discard(t.Context(), citizen("1"), d.ID); err != nil {
			t.Error(err)
		}
		if list, err := c.Drafts(t.Context(), citizen("1")); len(list) != 0 || err != nil {
			t.Errorf("%v %v", list, err)
		}
	})
}

func second1[T any](_ T, err error) error { return err }

// kept counts the files of papers.
func (c *town) kept(t testing.TB) (n int) {
	t.Helper()
	for _, err := range c.files.List(t.Context(), "papers/") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestPapersGoWithTheApplication(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		who := citizen("1")
		d, err := c.Begin(t.Context(), who, []string{rent, grant})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Save(t.Context(), who, d.ID, said(t, map[string]any{"monthly_rent": 450_000})); err != nil {
			t.Fatal(err)
		}
		form, err := c.Form(t.Context(), who, d.Services, said(t, map[string]any{"monthly_rent": 450_000}))
		if err != nil || len(form.Papers) != 2 || form.Papers[0].Document != lease || len(form.Papers[0].Services) != 2 {
			t.Fatalf("%+v %v", form.Papers, err) // asked for once, for both
		}
		one, err := c.AttachToDraft(t.Context(), who, d.ID, casework.Upload{Name: "계약서.pdf", Document: lease, Content: pdf})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.AttachToDraft(t.Context(), who, d.ID, casework.Upload{Name: "영수증.png", Document: "이사 영수증", Content: picture(t)}); err != nil {
			t.Fatal(err)
		}
		wrong, err := c.AttachToDraft(t.Context(), who, d.ID, casework.Upload{Name: "잘못.png", Content: picture(t)})
		if err != nil || c.DetachFromDraft(t.Context(), who, d.ID, wrong.ID) != nil || c.kept(t) != 2 {
			t.Fatalf("%v, %d files", err, c.kept(t))
		}
		for info, err := range c.files.List(t.Context(), "papers/") {
			if err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(c.folder + "/" + info.Key); err != nil || bytes.Contains(text, []byte("Catalog")) || bytes.Contains(text, []byte("PNG")) {
				t.Errorf("%s isn't sealed: %v", info.Key, err)
			}
		}
		a, err := c.Submit(t.Context(), who, casework.Submission{Draft: d.ID})
		if err != nil || len(a.Cases) != 2 {
			t.Fatal(err)
		}
		if b, err := c.Submit(t.Context(), who, casework.Submission{Draft: d.ID}); err != nil || b.ID != a.ID { // the same draft again
			t.Errorf("%v %v", b, err)
		}
		if list, err := c.Drafts(t.Context(), who); len(list) != 0 || err != nil {
			t.Errorf("%v %v", list, err)
		}
		for i, want := range []int{1, 2} {
			f, err := c.Get(t.Context(), who, a.Cases[i].ID)
			if err != nil || len(f.Papers) != want || f.Papers[0].Document != lease || f.Papers[0].ID == one.ID {
				t.Fatalf("%+v %v", f.Papers, err)
			}
			p, err := c.OpenPaper(t.Context(), who, f.ID, f.Papers[0].ID)
			if err != nil || !bytes.Equal(p.Content, pdf) || p.Type != "application/pdf" {
				t.Errorf("%v %v", p, err)
			}
			second, err := c.OpenPaper(t.Context(), who, f.ID, f.Papers[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.OpenPaper(t.Context(), who, f.ID, f.Papers[0].ID); problem.Code(err) != "paper.busy" { // two at once to one reader
				t.Error(err)
			}
			p.Close()
			second.Close()
			office, err := c.OpenPaper(t.Context(), housing, f.ID, f.Papers[0].ID)
			if (err == nil) != (i == 0) { // the other is another bureau's
				t.Errorf("%v: %v", office, err)
			}
			if err == nil {
				office.Close()
			}
		}
		id := a.Cases[0].ID
		f, err := c.Get(t.Context(), who, a.Cases[1].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.OpenPaper(t.Context(), who, id, f.Papers[1].ID); problem.Code(err) != "paper.unknown" { // by the number of another case
			t.Error(err)
		}
		if _, err := c.OpenPaper(t.Context(), citizen("2"), id, f.Papers[1].ID); err == nil {
			t.Error("another citizen opens it")
		}

		// The office: a paper of its own, one for the citizen; a supplement that is nothing but a paper.
		before := c.do(t, housing, id, "take", casework.ActionInput{}).Version
		if _, err := c.Attach(t.Context(), housing, id, casework.Upload{Name: "현장.png", Internal: true, Content: picture(t)}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.try(t, housing, id, "note", casework.ActionInput{Version: before, Reason: "x"}); problem.Code(err) != "case.moved" {
			t.Errorf("a new paper is seen before anything is decided: %v", err)
		}
		if _, err := c.Attach(t.Context(), welfare, id, casework.Upload{Name: "a.png", Content: picture(t)}); problem.Code(err) != "case.unknown" {
			t.Error(err)
		}
		c.do(t, housing, id, "ask", casework.ActionInput{Reason: "계약서가 잘 보이지 않습니다", Days: 7})
		if _, err := c.try(t, who, id, "supply", casework.ActionInput{}); problem.Code(err) != "case.reason" {
			t.Error(err)
		}
		c.clock.Advance(time.Hour)
		if _, err := c.Attach(t.Context(), who, id, casework.Upload{Name: "계약서.pdf", Document: lease, Internal: true, Content: pdf}); err != nil {
			t.Fatal(err)
		}
		c.do(t, who, id, "supply", casework.ActionInput{})
		mine, err := c.Get(t.Context(), who, id)
		if err != nil || len(mine.Papers) != 2 || mine.Papers[1].Internal {
			t.Errorf("%+v %v", mine.Papers, err)
		}
		office, err := c.Get(t.Context(), housing, id)
		if err != nil || len(office.Papers) != 3 || office.Papers[1].By != "housing-caseworker" {
			t.Errorf("%+v %v", office.Papers, err)
		}
		if _, err := c.OpenPaper(t.Context(), who, id, office.Papers[1].ID); problem.Code(err) != "paper.unknown" {
			t.Errorf("what is the office's own: %v", err)
		}
		c.do(t, who, id, "withdraw", casework.ActionInput{})
		if _, err := c.Attach(t.Context(), who, id, casework.Upload{Name: "a.pdf", Content: pdf}); problem.Code(err) != "case.state" {
			t.Error(err)
		}
		// What was killed between the file and its row goes after a day; what is somebody's stays.
		if _, err := c.files.Put(t.Context(), "papers/2026-11/stray", bytes.NewReader(pdf)); err != nil {
			t.Fatal(err)
		}
		n := c.kept(t)
		c.clock.Advance(10 * 365 * 24 * time.Hour)
		if _, err := c.Expire(t.Context()); err != nil || c.kept(t) != n-1 {
			t.Errorf("%d of %d files: %v", c.kept(t), n, err)
		}
	})
}
