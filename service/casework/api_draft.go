package casework

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
)

// DraftPath names a draft.
type DraftPath struct {
	Draft string `path:"draft" maxLength:"40"`
}

type draftOut struct{ Body *Draft }

// serveDrafts registers the operations on applications that aren't handed in yet.
func (s *Store) serveDrafts(h huma.API, op func(id, method, path, summary string, errs ...int) huma.Operation) {
	huma.Register(h, op("begin-application", http.MethodPost, "/api/v1/applications/drafts", "Begin an application that is kept for 30 days, or go on with the one for the same services; nothing is read about anybody", 403, 404, 409, 422),
		func(ctx context.Context, in *struct{ Body applicationInput }) (*draftOut, error) {
			d, err := s.Begin(ctx, identity.From(ctx), in.Body.Services)
			if err == nil && in.Body.Answers != nil {
				d, err = s.Save(ctx, identity.From(ctx), d.ID, in.Body.Answers)
			}
			return &draftOut{d}, err
		})
	huma.Register(h, op("list-my-drafts", http.MethodGet, "/api/v1/me/drafts", "The applications that who is signed in hasn't handed in yet", 403), func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Items []*Draft `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []*Draft `json:"items"`
			}
		}{}
		list, err := s.Drafts(ctx, identity.From(ctx))
		out.Body.Items = append([]*Draft{}, list...)
		return out, err
	})
	huma.Register(h, op("get-draft", http.MethodGet, "/api/v1/applications/drafts/{draft}", "An application that isn't handed in yet", 403, 404), func(ctx context.Context, in *DraftPath) (*draftOut, error) {
		d, err := s.Draft(ctx, identity.From(ctx), in.Draft)
		return &draftOut{d}, err
	})
	huma.Register(h, op("save-draft", http.MethodPut, "/api/v1/applications/drafts/{draft}", "Keep what is answered so far, in place of what was", 403, 404, 422), func(ctx context.Context, in *struct {
		DraftPath
		Body struct {
			Answers registry.Values `json:"answers" doc:"By the names of questions"`
		}
	},
	) (*draftOut, error,
	) {
		d, err := s.Save(ctx, identity.From(ctx), in.Draft, in.Body.Answers)
		return &draftOut{d}, err
	})
	huma.Register(h, op("discard-draft", http.MethodDelete, "/api/v1/applications/drafts/{draft}", "Delete an application that isn't handed in, and its papers", 403, 404), func(ctx context.Context, in *DraftPath) (*struct{}, error) {
		return nil, s.Discard(ctx, identity.From(ctx), in.Draft)
	})
}

// PaperInput is a file and what it is.
type PaperInput struct {
	Name     string `query:"name" required:"true" minLength:"1" maxLength:"255" doc:"Of the file"`
	Document string `query:"document" maxLength:"200" doc:"Which document of the service it is; absent: something else"`
	RawBody  []byte `contentType:"application/octet-stream"`
}

type paperOut struct{ Body *Paper }

// sendWithin is how long the sending of a paper may take.
const sendWithin = 2 * time.Minute

// Send sends the paper to be saved, never to be shown: it is somebody's.
func (o *Opened) Send(w http.ResponseWriter) {
	for name, value := range map[string]string{
		"Content-Type": o.Type, "Content-Disposition": mime.FormatMediaType("attachment", map[string]string{"filename": o.Name}), "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Length": strconv.FormatInt(o.Size, 10),
	} {
		w.Header().Set(name, value)
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(sendWithin)) // a writer that has none is no connection
	_, _ = w.Write(o.Content)                                // who asked went away: nobody to tell
	_ = control.SetWriteDeadline(time.Time{})
}

// servePapers registers the operations on papers.
func (s *Store) servePapers(h huma.API, op func(id, method, path, summary string, errs ...int) huma.Operation) {
	upload := func(id, path, summary string) huma.Operation {
		o := op(id, http.MethodPost, path, summary, 403, 404, 409, 413, 422, 429)
		o.MaxBodyBytes, o.BodyReadTimeout, o.DefaultStatus = MaxPaper+1, 2*time.Minute, http.StatusCreated
		return o
	}
	file := func(ctx context.Context, of, id string) (*huma.StreamResponse, error) {
		p, err := s.OpenPaper(ctx, identity.From(ctx), of, id)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer p.Close()
			_, w := humago.Unwrap(hc)
			p.Send(w)
		}}, nil
	}
	const paper = "/papers/{paper}"
	download := func(id, path, summary string) huma.Operation {
		o := op(id, http.MethodGet, path, summary, 403, 404)
		o.Responses = map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{}}}
		for kind := range kinds {
			o.Responses["200"].Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		return o
	}
	huma.Register(h, upload("attach-to-draft", "/api/v1/applications/drafts/{draft}/papers", "Add a file to an application that isn't handed in yet"), func(ctx context.Context, in *struct {
		DraftPath
		PaperInput
	},
	) (*paperOut, error,
	) {
		p, err := s.AttachToDraft(ctx, identity.From(ctx), in.Draft, Upload{Name: in.Name, Document: in.Document, Content: in.RawBody})
		return &paperOut{p}, err
	})
	huma.Register(h, download("get-draft-paper", "/api/v1/applications/drafts/{draft}"+paper, "A file of an application that isn't handed in yet"), func(ctx context.Context, in *struct {
		DraftPath
		Paper string `path:"paper" maxLength:"40"`
	},
	) (*huma.StreamResponse, error,
	) {
		return file(ctx, in.Draft, in.Paper)
	})
	huma.Register(h, op("detach-from-draft", http.MethodDelete, "/api/v1/applications/drafts/{draft}"+paper, "Take a file away again", 403, 404), func(ctx context.Context, in *struct {
		DraftPath
		Paper string `path:"paper" maxLength:"40"`
	},
	) (*struct{}, error,
	) {
		return nil, s.DetachFromDraft(ctx, identity.From(ctx), in.Draft, in.Paper)
	})
	huma.Register(h, upload("attach-to-case", "/api/v1/cases/{case}/papers", "Add a file to a case: the citizen while something is waited for, the office at any time"), func(ctx context.Context, in *struct {
		Path
		PaperInput
		Internal bool `query:"internal" doc:"For the office only"`
	},
	) (*paperOut, error,
	) {
		p, err := s.Attach(ctx, identity.From(ctx), in.Case, Upload{Name: in.Name, Document: in.Document, Internal: in.Internal, Content: in.RawBody})
		return &paperOut{p}, err
	})
	huma.Register(h, download("get-case-paper", "/api/v1/cases/{case}"+paper, "A file of a case"), func(ctx context.Context, in *struct {
		Path
		Paper string `path:"paper" maxLength:"40"`
	},
	) (*huma.StreamResponse, error,
	) {
		return file(ctx, in.Case, in.Paper)
	})
}
