package components

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/service/casework"
)

// How long posted forms may be, in bytes. What is behind the end of a file that is too large is read on for a while, so that a browser gets to show why.
const (
	maxForm   = 64 << 10
	maxUpload = 64 << 20
)

// unreadable is the problem that a form isn't one.
func unreadable() error {
	return problem.New("web.form", http.StatusBadRequest, lang.T("보내신 내용을 읽을 수 없습니다", "the form can't be read"))
}

// Form reads a posted form.
func Form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, unreadable()
	}
	return r.PostForm, nil
}

// Upload reads a posted form with a file in it: document, internal, file.
func Upload(w http.ResponseWriter, r *http.Request) (u casework.Upload, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return u, unreadable()
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = take(&u, part)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return u, problem.New("request.slow", http.StatusRequestTimeout, lang.T("파일을 올리는 데 너무 오래 걸렸습니다", "the upload took too long")).Hinting(lang.T("더 작은 파일로 나누거나 더 빠른 망에서 올려 주십시오", "send it in parts, or by a faster line"))
		}
		if err != nil {
			return u, unreadable()
		}
	}
	if u.Name == "" && len(u.Content) == 0 {
		return u, problem.New("paper.empty", http.StatusUnprocessableEntity, lang.T("올리실 파일을 골라 주십시오", "choose a file"))
	}
	return u, nil
}

// take reads a part of the form.
func take(u *casework.Upload, part *multipart.Part) error {
	most := int64(1 << 10)
	if part.FormName() == "file" {
		most = casework.MaxPaper + 1 // one more: it is too large
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, io.LimitReader(part, most)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, part); err != nil {
		return err
	}
	switch part.FormName() {
	case "file":
		u.Name, u.Content = part.FileName(), text.Bytes()
	case "document":
		u.Document = text.String()
	case "internal":
		u.Internal = text.Len() > 0
	}
	return nil
}

// Send sends a paper to be saved, never to be shown as a page of ours, and closes it.
func Send(w http.ResponseWriter, p *casework.Opened) {
	defer p.Close()
	p.Send(w)
}

// paperNote says of a paper what it is for, how large it is, when it came and from whom.
func paperNote(ctx context.Context, p *casework.Paper, office func(string) lang.Text) string {
	parts := []string{Bytes(p.Size), Moment(ctx, p.At)}
	if p.Document != "" {
		parts = slices.Insert(parts, 0, p.Document)
	}
	if p.Office != "" {
		parts = append(parts, In(ctx, office(p.Office)))
	}
	return strings.Join(parts, " · ")
}

// Mendable reports whether a problem is one of what was sent, to be shown where it was written.
func Mendable(p *problem.Problem) bool {
	switch p.Status {
	case http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return true
	}
	return false
}
