package registry

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/sync/semaphore"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
)

// stalled is how long a client may take in nothing of a download.
const stalled = time.Minute

// patient is a response whose client gets time for each part of it.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(stalled)) // where there are no deadlines, none are set
	return p.ResponseWriter.Write(b)
}

// Patiently writes to a client that gets time for each part of it.
func Patiently(w io.Writer) io.Writer {
	if rw, ok := w.(http.ResponseWriter); ok {
		return patient{rw, http.NewResponseController(rw)}
	}
	return w
}

// sheets bounds how many workbooks are put together at once: each lies on the disk until it is whole.
var sheets = semaphore.NewWeighted(4)

func (a *api) download(h huma.Context, d *catalog.Dataset, q Query, form Form, bom bool) {
	if form.Name == "xlsx" {
		if err := sheets.Acquire(h.Context(), 1); err != nil {
			return // the client went away
		}
		defer sheets.Release(1)
	}
	h.SetHeader("Content-Type", form.MediaType)
	h.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, d.Name, form.Name))
	w := Patiently(h.BodyWriter())
	if bom && form.Name == "csv" {
		w = &marked{Writer: w}
	}
	begun := &begun{Writer: w}
	err := a.pour(h.Context(), d, q, form, begun)
	if err == nil {
		return
	}
	if begun.any {
		panic(http.ErrAbortHandler) // the status is out: the client must see that the end is missing
	}
	r, answer := humago.Unwrap(h)
	answer.Header().Del("Content-Disposition")
	httpd.Fail(answer, r, err)
}

// begun knows whether anything was written.
type begun struct {
	io.Writer
	any bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.any = true
	return b.Writer.Write(p)
}

// marked writes a byte order mark before what is written first.
type marked struct {
	io.Writer
	done bool
}

func (m *marked) Write(p []byte) (int, error) {
	if !m.done {
		m.done = true
		if _, err := m.Writer.Write([]byte("\ufeff")); err != nil {
			return 0, err
		}
	}
	return m.Writer.Write(p)
}
