package casework

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/gabriel-vasile/mimetype"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// The limits of papers.
const (
	MaxPaper    = 10 << 20  // bytes of one
	maxPapers   = 100       // of a draft, or of a case from the citizen, and again from the office
	maxDayBytes = 300 << 20 // that come from one citizen within 24 hours
	maxAtOnce   = 3         // that are sealed at once: each is in memory whole
	maxSent     = 16        // that are sent at once
	sentToOne   = 2         // of them to one reader
	maxFileName = 100       // characters of the name
	strayAge    = 24 * time.Hour
)

// Paper is a document of a draft or a case. What it holds is sealed, and kept as a file.
type Paper struct {
	ID       string    `json:"id"`
	Name     string    `json:"name" doc:"Of the file"`
	Document string    `json:"document,omitempty" doc:"What was asked for, in Korean as the service has it; absent: something else"`
	Type     string    `json:"type" doc:"What the file is, by what it holds"`
	Size     int64     `json:"size" doc:"Bytes"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty" doc:"The account of the office; absent: the citizen"`
	Office   string    `json:"office,omitempty"`
	Internal bool      `json:"internal,omitempty" doc:"For the office only"`

	file string // where it is kept
}

// paperBody is what is sealed of a paper beside its file.
type paperBody struct {
	Name     string `json:"name"`
	Document string `json:"document,omitempty"`
	Type     string `json:"type"`
	By       string `json:"by,omitempty"`
	Office   string `json:"office,omitempty"`
}

// Upload is a file that somebody sends.
type Upload struct {
	Name     string
	Document string
	Internal bool // for the office only
	Content  []byte
}

// Needed is a document that is to be uploaded: once for all services that ask for it.
type Needed struct {
	Document string    `json:"document" doc:"As papers name it"`
	Title    lang.Text `json:"title"`
	Services []string  `json:"services"`
	Why      lang.Text `json:"why,omitzero" doc:"Of one that data would have replaced: why they couldn't be had"`
}

// needed are the documents of services: those that are always uploaded, and those whose data couldn't be had.
func needed(services []*service.Service, lacking []service.Origin) (out []Needed) {
	for _, one := range services {
		for _, d := range one.Spec.Documents {
			why := lang.Text{}
			if d.Instead != "" {
				by := manifest.Ref("Agreement", one.Project, d.Instead)
				at := slices.IndexFunc(lacking, func(o service.Origin) bool { return o.Agreement == by.Project+"/"+by.Name })
				if at < 0 {
					continue
				}
				why = lacking[at].Why
			}
			at := slices.IndexFunc(out, func(n Needed) bool { return n.Document == d.Name.Ko })
			if at < 0 {
				out = append(out, Needed{Document: d.Name.Ko, Title: d.Name, Why: why})
				at = len(out) - 1
			}
			out[at].Services = append(out[at].Services, one.Path())
		}
	}
	return out
}

// needed are the documents that a case's service asks for: those that are always uploaded, and those whose data weren't read.
func (c *Case) needed(one *service.Service) []Needed {
	var lacking []service.Origin
	for _, d := range one.Spec.Documents {
		if d.Instead == "" {
			continue
		}
		by := manifest.Ref("Agreement", one.Project, d.Instead)
		if path := by.Project + "/" + by.Name; !slices.ContainsFunc(c.body.Facts, func(f Fact) bool { return f.Agreement == path }) {
			lacking = append(lacking, service.Origin{Agreement: path})
		}
	}
	return append([]Needed{}, needed([]*service.Service{one}, lacking)...)
}

// kinds are the files that offices can read, by what they hold, with how their names end.
var kinds = map[string][]string{
	"application/pdf":     {".pdf"},
	"image/jpeg":          {".jpg", ".jpeg"},
	"image/png":           {".png"},
	"application/x-hwp":   {".hwp"},
	"application/hwp+zip": {".hwpx"},
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": {".docx"},
}

// kind is what a file is by what it holds, or "".
func kind(content []byte) string {
	m := mimetype.Detect(content)
	switch {
	case kinds[m.String()] != nil:
		return m.String()
	case m.Is("application/x-ole-storage") && bytes.Contains(content, []byte("HWP Document File")):
		return "application/x-hwp"
	case m.Is("application/zip") && bytes.Contains(content[:min(len(content), 256)], []byte("mimetypeapplication/hwp+zip")): // its first entry, as in EPUB
		return "application/hwp+zip"
	}
	return ""
}

// accept says what a file is, and gives it a name that is nothing but a name.
//
// Codes: paper.empty, paper.size, paper.kind (one that offices can't read), paper.name (one that isn't what its name says).
func (u *Upload) accept() (string, error) {
	refuse := func(code string, message, hint lang.Text) (string, error) {
		p := problem.New(code, 422, message).Hinting(hint)
		p.At = []problem.Detail{{Code: code, Where: "file", Message: message}}
		return "", p
	}
	u.Name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|`, r) { // Cf turns the direction of text, among others
			return -1
		}
		return r
	}, path.Base(strings.ReplaceAll(strings.ToValidUTF8(u.Name, ""), `\`, "/")))
	if u.Name = strings.Trim(u.Name, " ."); u.Name == "" {
		u.Name = "file"
	}
	end := path.Ext(u.Name)
	if name := []rune(u.Name); len(name) > maxFileName {
		u.Name = string(name[:maxFileName-len([]rune(end))]) + end
	}
	allowed := lang.T("PDF, JPG, PNG, HWP, HWPX, DOCX 파일을 올려 주십시오", "upload a PDF, JPG, PNG, HWP, HWPX or DOCX file")
	switch {
	case len(u.Content) == 0:
		return refuse("paper.empty", lang.F("빈 파일입니다: %s", "%s is empty", u.Name), allowed)
	case len(u.Content) > MaxPaper:
		return refuse("paper.size", lang.F("파일이 너무 큽니다: %[1]s (%[2]dMB까지)", "%[1]s is too large: up to %[2]d MB", u.Name, MaxPaper>>20), lang.T("크기를 줄이거나 나누어 올려 주십시오", "make it smaller, or send it in parts"))
	}
	what := kind(u.Content)
	switch {
	case what == "":
		return refuse("paper.kind", lang.F("받을 수 없는 형식의 파일입니다: %s", "%s is of a kind that isn't taken", u.Name), allowed)
	case end == "":
		u.Name += kinds[what][0]
	case !slices.Contains(kinds[what], strings.ToLower(end)):
		return refuse("paper.name", lang.F("이름과 내용이 다른 파일입니다: %[1]s (내용은 %[2]s)", "%[1]s isn't what its name says: it is %[2]s", u.Name, strings.ToUpper(kinds[what][0][1:])), lang.T("파일을 확인하고 다시 올려 주십시오", "look at the file and send it again"))
	}
	return what, nil
}

// store seals what a file holds and keeps it; what it returns isn't anybody's paper yet.
func (s *Store) store(ctx context.Context, u Upload) (*Paper, error) {
	what, err := u.accept()
	if err != nil {
		return nil, err
	}
	if err := s.crowd(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.sealing }()
	p := &Paper{ID: newID(), Name: u.Name, Document: u.Document, Type: what, Size: int64(len(u.Content)), At: s.Now().UTC().Truncate(1e6), Internal: u.Internal}
	p.file = "papers/" + p.At.Format("2006-01") + "/" + newID()
	sealed, err := s.Keys.SealBytes(p.about(), u.Content)
	if err != nil {
		return nil, err
	}
	_, err = s.Files.Put(ctx, p.file, bytes.NewReader(sealed))
	return p, err
}

// crowd waits until a file may be in memory.
func (s *Store) crowd(ctx context.Context) error {
	select {
	case s.sealing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// about is what a paper's file is sealed as: wherever it goes, it is that file.
func (p *Paper) about() string { return "paper " + p.file }

// AttachToDraft adds a file to a draft. Codes: those of [Store.Draft]; paper.empty, paper.size, paper.kind, paper.name, paper.document, paper.many.
func (s *Store) AttachToDraft(ctx context.Context, who *identity.Principal, id string, u Upload) (*Paper, error) {
	d, err := s.Draft(ctx, who, id)
	if err != nil {
		return nil, err
	}
	services, err := s.named(d.Services)
	if err != nil {
		return nil, err
	}
	u.Internal = false
	return s.attach(ctx, who.Person, false, u, services, func(p *Paper) error {
		return s.change(ctx, who, id, func(tx *db.Tx, d *Draft) error {
			if err := s.mayUpload(ctx, tx, who.Person, p.Size); err != nil {
				return err
			}
			return s.addPaper(ctx, tx, who.Person, p, d.ID, "", len(d.Papers))
		})
	})
}

// DetachFromDraft takes a file of a draft away. Codes: those of [Store.Draft]; paper.unknown.
func (s *Store) DetachFromDraft(ctx context.Context, who *identity.Principal, id, paper string) error {
	var gone *Paper
	err := s.change(ctx, who, id, func(tx *db.Tx, d *Draft) error {
		at := slices.IndexFunc(d.Papers, func(p *Paper) bool { return p.ID == paper })
		if at < 0 {
			return unknownPaper(paper)
		}
		gone = d.Papers[at]
		_, err := tx.Exec(ctx, "DELETE FROM paper WHERE id = ?", paper)
		return err
	})
	if err != nil {
		return err
	}
	return s.dropFiles(ctx, []*Paper{gone})
}

// Attach adds a file to a case: the citizen while something is waited for, the office at any time, also for itself only. It is a step in the case's history, and a new version of it.
//
// Codes: auth.needed, auth.refused, case.unknown, case.state; paper.empty, paper.size, paper.kind, paper.name, paper.document, paper.many.
func (s *Store) Attach(ctx context.Context, who *identity.Principal, id string, u Upload) (*Paper, error) {
	seen, err := s.visible(ctx, who, id)
	if err != nil {
		return nil, err
	}
	mine := isTheirs(who, seen)
	u.Internal = u.Internal && !mine || !mine && !s.mayDecide(who, seen) // what an office says that is asked for its opinion isn't the citizen's
	one, err := s.ServiceOf(ctx, seen)
	if err != nil {
		return nil, err
	}
	return s.attach(ctx, seen.person, !mine, u, []*service.Service{one}, func(p *Paper) error {
		return s.DB.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Lock(ctx, "applications of "+seen.person); err != nil {
				return err
			}
			c, err := s.one(ctx, tx, id)
			if err != nil {
				return err
			}
			if mine && c.Done {
				return problem.New("case.state", 409, lang.F("지금은 서류를 낼 수 없습니다 (%s)", "papers can't be handed in now (%s)", c.State.Title()))
			}
			if !mine && !s.mayDecide(who, c) && !s.advises(who, c) {
				return unknown(id)
			}
			if !mine {
				p.By, p.Office = who.Actor(), who.Agency
			}
			have, err := s.papers(ctx, tx, "case_id = ? AND office = ?", id, !mine)
			if err == nil && mine {
				err = s.mayUpload(ctx, tx, seen.person, p.Size)
			}
			if err != nil {
				return err
			}
			if err := s.addPaper(ctx, tx, seen.person, p, "", id, len(have)); err != nil {
				return err
			}
			if err := s.update(ctx, tx, c); err != nil {
				return err
			}
			e := CaseStep{Action: "paper", Internal: p.Internal, Note: p.Name}
			if p.Document != "" {
				e.Note = p.Document + ": " + p.Name
			}
			if !mine {
				e.Actor, e.Name, e.Office = who.Actor(), who.Name, who.Agency
			}
			return s.event(ctx, tx, c, e)
		})
	})
}

// attach stores a file and has it kept; where that fails the file goes again.
func (s *Store) attach(ctx context.Context, person string, office bool, u Upload, of []*service.Service, keep func(*Paper) error) (*Paper, error) {
	if u.Document != "" && !slices.ContainsFunc(of, func(one *service.Service) bool { return asksFor(one, u.Document) }) {
		return nil, problem.New("paper.document", 422, lang.F("이 신청에 없는 서류입니다: %s", "the application has no document %s", u.Document))
	}
	if !office {
		err := s.DB.Read(ctx, func(tx *db.Tx) error { return s.mayUpload(ctx, tx, person, int64(len(u.Content))) }) // before it is stored; it is looked at again when it is kept
		if err != nil {
			return nil, err
		}
	}
	p, err := s.store(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := keep(p); err != nil {
		return nil, errors.Join(err, s.dropFiles(context.WithoutCancel(ctx), []*Paper{p}))
	}
	return p, nil
}

// mayUpload says that enough came about one citizen for a day.
func (s *Store) mayUpload(ctx context.Context, tx *db.Tx, person string, size int64) error {
	var lately int64
	err := tx.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (SELECT DISTINCT file, size FROM paper WHERE person = ? AND office = ? AND at > ?) AS lately", person, false, stored(s.Now().Add(-24*time.Hour))).Scan(&lately)
	if err == nil && lately+size > maxDayBytes {
		err = problem.New("paper.many", 429, lang.F("하루에 올릴 수 있는 크기(%dMB)를 넘었습니다", "more than %d MB in a day aren't taken", maxDayBytes>>20)).Hinting(lang.T("내일 다시 올려 주십시오", "go on tomorrow"))
	}
	return err
}

// asksFor reports whether a service has a document.
func asksFor(one *service.Service, document string) bool {
	return slices.ContainsFunc(one.Spec.Documents, func(d manifest.Document) bool { return d.Name.Ko == document })
}

// addPaper keeps a paper of a draft or a case that has so many already.
func (s *Store) addPaper(ctx context.Context, tx *db.Tx, person string, p *Paper, draft, id string, have int) error {
	if have >= maxPapers {
		return problem.New("paper.many", 409, lang.F("서류는 %d개까지 낼 수 있습니다", "there can be %d papers", maxPapers))
	}
	text, err := json.Marshal(paperBody{p.Name, p.Document, p.Type, p.By, p.Office})
	if err != nil {
		return err
	}
	sealed, err := s.Keys.Seal(p.about(), string(text))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO paper (id, person, draft, case_id, at, size, internal, office, file, body) VALUES ("+db.Marks(10)+")", p.ID, person, draft, id, stored(p.At), p.Size, p.Internal, p.By != "", p.file, sealed)
	if err != nil {
		return fmt.Errorf("keep a paper: %w", err)
	}
	return nil
}

// papers reads papers, the oldest first.
func (s *Store) papers(ctx context.Context, tx *db.Tx, where string, args ...any) ([]*Paper, error) {
	out := []*Paper{}
	rows, err := tx.Query(ctx, "SELECT id, at, size, internal, file, body FROM paper WHERE "+where+" ORDER BY n", args...)
	if err != nil {
		return nil, fmt.Errorf("read papers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p := &Paper{}
		var at, sealed string
		if err := rows.Scan(&p.ID, &at, &p.Size, &p.Internal, &p.file, &sealed); err != nil {
			return nil, fmt.Errorf("read papers: %w", err)
		}
		if p.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
			return nil, err
		}
		var b paperBody
		open, err := s.Keys.Unseal(p.about(), sealed)
		if err == nil {
			err = json.Unmarshal([]byte(open), &b)
		}
		if err != nil {
			return nil, fmt.Errorf("open paper %s: %w", p.ID, err)
		}
		p.Name, p.Document, p.Type, p.By, p.Office = b.Name, b.Document, b.Type, b.By, b.Office
		out = append(out, p)
	}
	return out, rows.Err()
}

// handIn gives the papers of a draft to its cases: each to those whose service asks for it, or to all. The draft is done then.
func (s *Store) handIn(ctx context.Context, tx *db.Tx, d *Draft, a *Application, services []*service.Service) error {
	for _, p := range d.Papers {
		var to []*Case
		for i, one := range services {
			if asksFor(one, p.Document) {
				to = append(to, a.Cases[i])
			}
		}
		if len(to) == 0 {
			to = a.Cases
		}
		for _, c := range to {
			own := *p
			own.ID = newID()
			if err := s.addPaper(ctx, tx, d.person, &own, "", c.ID, 0); err != nil {
				return err
			}
		}
	}
	return s.dropDraft(ctx, tx, d, true)
}

// Opened is a paper with what it holds, in memory until it is closed.
type Opened struct {
	*Paper
	Content []byte
	close   func()
}

// Close gives the memory back. It is closed when it is sent.
func (o *Opened) Close() {
	o.Content = nil
	o.close()
}

// mayRead takes one of the places of papers that are sent, of which a reader has few.
func (s *Store) mayRead(who *identity.Principal) (end func(), err error) {
	reader := who.Actor() + " " + who.Person
	s.sending.mu.Lock()
	defer s.sending.mu.Unlock()
	if s.sending.all >= maxSent || s.sending.by[reader] >= sentToOne {
		return nil, problem.New("paper.busy", 503, lang.T("여러 서류를 이미 보내고 있습니다", "several papers are being sent already")).Hinting(lang.T("받기가 끝난 뒤에 다시 열어 주십시오", "open it again when they have come"))
	}
	s.sending.all++
	s.sending.by[reader]++
	return func() {
		s.sending.mu.Lock()
		defer s.sending.mu.Unlock()
		s.sending.all--
		if s.sending.by[reader]--; s.sending.by[reader] == 0 {
			delete(s.sending.by, reader)
		}
	}, nil
}

// sending are papers that are being sent.
type sending struct {
	mu  sync.Mutex
	all int
	by  map[string]int
}

// OpenPaper is a file of a case for those who may see it, or of a draft for its citizen. Whoever opens it closes it.
//
// Codes: auth.needed, auth.refused, case.unknown, draft.unknown, paper.unknown, paper.busy.
func (s *Store) OpenPaper(ctx context.Context, who *identity.Principal, of, id string) (out *Opened, err error) {
	end, err := s.mayRead(who)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	p, err := s.findPaper(ctx, who, of, id)
	if err != nil {
		return nil, err
	}
	if err = s.crowd(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.sealing }()
	r, info, err := s.Files.Open(ctx, p.file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sealed := bytes.NewBuffer(make([]byte, 0, info.Size+bytes.MinRead))
	if _, err = io.Copy(sealed, r); err != nil {
		return nil, fmt.Errorf("read paper %s: %w", p.ID, err)
	}
	content, err := s.Keys.UnsealBytes(p.about(), sealed.Bytes())
	return &Opened{p, content, end}, err
}

// findPaper is a paper that somebody may see.
func (s *Store) findPaper(ctx context.Context, who *identity.Principal, of, id string) (*Paper, error) {
	var list []*Paper
	c, err := s.visible(ctx, who, of)
	switch {
	case err == nil:
		err = s.DB.Read(ctx, func(tx *db.Tx) error {
			list, err = s.papers(ctx, tx, "case_id = ? AND id = ?", c.ID, id)
			return err
		})
		if !s.mayDecide(who, c) {
			list = slices.DeleteFunc(list, func(p *Paper) bool { return p.Internal && p.By != who.Actor() })
		}
	case problem.Code(err) == "case.unknown" && who.Kind == identity.Citizen:
		var d *Draft
		if d, err = s.Draft(ctx, who, of); err == nil {
			list = slices.DeleteFunc(d.Papers, func(p *Paper) bool { return p.ID != id })
		}
	}
	if err == nil && len(list) == 0 {
		err = unknownPaper(id)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func unknownPaper(id string) error {
	return problem.New("paper.unknown", 404, lang.F("없는 서류입니다: %s", "there is no paper %s", id))
}

// dropFiles deletes the files of papers that are nobody's any more.
func (s *Store) dropFiles(ctx context.Context, list []*Paper) error {
	for _, p := range list {
		var others int
		err := s.DB.Read(ctx, func(tx *db.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(*) FROM paper WHERE file = ?", p.file).Scan(&others)
		})
		if err == nil && others == 0 {
			err = s.Files.Delete(ctx, p.file)
		}
		if err != nil {
			return fmt.Errorf("delete the file of paper %s: %w", p.ID, err)
		}
	}
	return nil
}

// dropStrays deletes files that are no paper's: an upload was killed before it was kept, or a deletion before it was done.
func (s *Store) dropStrays(ctx context.Context) error {
	var old []*Paper
	for info, err := range s.Files.List(ctx, "papers/") {
		if err != nil {
			return err
		}
		if s.Now().Sub(info.Modified) > strayAge {
			old = append(old, &Paper{ID: path.Base(info.Key), file: info.Key})
		}
		if len(old) == 1000 {
			if err := s.dropFiles(ctx, old); err != nil {
				return err
			}
			old = nil
		}
	}
	return s.dropFiles(ctx, old)
}
