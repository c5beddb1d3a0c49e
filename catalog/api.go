package catalog

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Limits of a request.
const (
	MaxPlanBody  = 64 << 20 // bytes of a plan's body
	MaxPlanFiles = 10_000
	maxPath      = 1024 // bytes of a file's path
	pageLimit    = 1000
)

// Serve registers the catalog's operations under /api/v1.
func (c *Catalog) Serve(api huma.API) {
	shapes(api.OpenAPI().Components.Schemas)
	c.serveTerms(api)
	read := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1" + path, Summary: summary, Tags: []string{"catalog"}, Errors: []int{400, 404}}
	}
	huma.Register(api, read("list-resources", "/resources", "What the catalog holds"), c.listResources)
	huma.Register(api, read("get-resource", "/resources/{kind}/{project}/{name}", "One resource, with what it uses and what uses it"), c.getResource)
	huma.Register(api, read("list-resource-history", "/resources/{kind}/{project}/{name}/history", "What revisions did to a resource, the newest first"), c.listHistory)
	huma.Register(api, read("list-revisions", "/revisions", "The revisions, the newest first"), c.listRevisions)
	huma.Register(api, read("get-revision", "/revisions/{n}", "A revision with its changes"), c.getRevision)
	huma.Register(api, huma.Operation{
		OperationID: "make-plan", Method: http.MethodPost, Path: "/api/v1/plans", Tags: []string{"catalog"}, DefaultStatus: http.StatusOK,
		Summary: "What a folder of manifests would change, and what is wrong with it", Errors: []int{404, 409},
		MaxBodyBytes: MaxPlanBody, BodyReadTimeout: 2 * time.Minute,
	}, c.makePlan)
	huma.Register(api, huma.Operation{
		OperationID: "apply-plan", Method: http.MethodPost, Path: "/api/v1/plans/{id}/apply", Tags: []string{"catalog"}, DefaultStatus: http.StatusOK,
		Summary: "Make a plan the next revision", Errors: []int{404, 409},
	}, c.applyPlan)
}

// seeing is nil for those who may see the catalog.
func seeing(ctx context.Context) error {
	return identity.From(ctx).Need(identity.SeeCatalog, identity.Place{})
}

type planInput struct {
	Body struct {
		Files     map[string]string `json:"files,omitempty" maxProperties:"10000" doc:"Path → text in UTF-8: the manifests, and the tables that vocabularies name"`
		Rollback  *int64            `json:"rollback,omitempty" minimum:"0" doc:"In place of files: the revision to go back to"`
		Base      *int64            `json:"base,omitempty" minimum:"0" doc:"Refuse the plan unless this is the present revision"`
		AllowLoss bool              `json:"allow_loss,omitempty" doc:"Rows and columns may be dropped, after they are written to a file"`
	}
}

type planOutput struct{ Body *Plan }

func (c *Catalog) makePlan(ctx context.Context, in *planInput) (*planOutput, error) {
	who := identity.From(ctx)
	if err := who.Need(identity.PlanChange, identity.Place{}); err != nil {
		return nil, err
	}
	if in.Body.Rollback != nil {
		if err := who.Need(identity.Rollback, identity.Place{}); err != nil {
			return nil, err
		}
	}
	q := Request{Files: in.Body.Files, Rollback: in.Body.Rollback, Base: in.Body.Base, AllowLoss: in.Body.AllowLoss, Who: who}
	if (q.Files == nil) == (q.Rollback == nil) {
		return nil, problem.New("plan.request", 422, lang.T("files와 rollback 가운데 하나를 지정하십시오", "give either files or rollback"))
	}
	if len(q.Files) > MaxPlanFiles {
		return nil, problem.New("plan.files", 422, lang.F("파일은 %d개까지 보낼 수 있습니다", "at most %d files can be sent", MaxPlanFiles))
	}
	for name, text := range q.Files {
		if strings.ContainsRune(text, 0) { // PostgreSQL keeps no such text
			return nil, problem.New("plan.text", 422, lang.F("파일에 NUL 문자가 있습니다: %s", "the file %s holds the character NUL", name)).
				Hinting(lang.T("텍스트 파일인지 확인하십시오", "check that it is a text file"))
		}
		if !validPath(name) {
			return nil, problem.New("plan.path", 422, lang.F("쓸 수 없는 파일 경로입니다: %.100q", "%.100q can't be the path of a file", name)).
				Hinting(lang.T("폴더 안의 상대 경로를 /로 이어 쓰십시오", "write a path inside the folder, joined by /"))
		}
	}
	p, err := c.Plan(ctx, q)
	return &planOutput{p}, err
}

// validPath reports whether a path of a plan stays in its folder and means one file.
func validPath(name string) bool {
	return name != "" && len(name) <= maxPath && utf8.ValidString(name) && !strings.ContainsAny(name, "\\\x00\n") &&
		path.Clean(name) == name && !path.IsAbs(name) && name != "." && name != ".." && !strings.HasPrefix(name, "../")
}

type applyInput struct {
	ID   string `path:"id" pattern:"^[A-Za-z0-9]{1,64}$"`
	Body *struct {
		Message string `json:"message,omitempty" maxLength:"10000" doc:"Why, for those who read the history"`
	}
}

type applyOutput struct {
	Body struct {
		Revision int64     `json:"revision" doc:"The new revision"`
		At       time.Time `json:"at"`
	}
}

func (c *Catalog) applyPlan(ctx context.Context, in *applyInput) (*applyOutput, error) {
	message := ""
	if in.Body != nil {
		message = strings.ReplaceAll(in.Body.Message, "\x00", "")
	}
	rev, err := c.Apply(ctx, in.ID, identity.From(ctx), message)
	if err != nil {
		return nil, err
	}
	out := &applyOutput{}
	out.Body.Revision, out.Body.At = rev.N, rev.At
	return out, nil
}

// PageInput says which part of a list is asked for.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before"`
}

// before is the number that a list of revisions goes on from; 0 for the newest.
func (in *PageInput) before() (int64, error) {
	if in.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(in.Cursor, 36, 64)
	if err != nil || n < 1 {
		return 0, wrongCursor()
	}
	return n, nil
}

func wrongCursor() error {
	return problem.New("list.cursor", 400, lang.T("이 목록의 cursor가 아닙니다", "the cursor isn't of this list")).
		Hinting(lang.T("cursor에는 앞 쪽의 next 값을 그대로 쓰십시오", "a cursor is the next of the page before, unchanged"))
}

type revisionsOutput struct {
	Body struct {
		Items []Revision `json:"items"`
		Next  string     `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
	}
}

func (c *Catalog) listRevisions(ctx context.Context, in *PageInput) (*revisionsOutput, error) {
	if err := seeing(ctx); err != nil {
		return nil, err
	}
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	list, err := c.Revisions(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &revisionsOutput{}
	out.Body.Items = append([]Revision{}, list[:min(in.Limit, len(list))]...)
	if len(list) > in.Limit {
		out.Body.Next = strconv.FormatInt(list[in.Limit-1].N, 36)
	}
	return out, nil
}

type revisionOutput struct{ Body *Revision }

func (c *Catalog) getRevision(ctx context.Context, in *struct {
	N int64 `path:"n" minimum:"0"`
},
) (*revisionOutput, error) {
	if err := seeing(ctx); err != nil {
		return nil, err
	}
	rev, err := c.Revision(ctx, in.N)
	return &revisionOutput{rev}, err
}

type historyOutput struct {
	Body struct {
		Items []historyItem `json:"items"`
		Next  string        `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
	}
}

// historyItem is what one revision did to a resource.
type historyItem struct {
	Revision    int64                 `json:"revision"`
	At          time.Time             `json:"at"`
	Author      string                `json:"author"`
	Message     string                `json:"message"`
	Op          string                `json:"op" enum:"add,change,remove"`
	Differences []manifest.Difference `json:"differences"`
	Text        string                `json:"text" doc:"The document as it was applied"`
}

func (c *Catalog) listHistory(ctx context.Context, in *struct {
	ResourcePath
	PageInput
},
) (*historyOutput, error) {
	if err := seeing(ctx); err != nil {
		return nil, err
	}
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	list, err := c.versionsBefore(ctx, key, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && before == 0 {
		return nil, unknownResource(key)
	}
	out := &historyOutput{}
	out.Body.Items = []historyItem{}
	for _, v := range list[:min(in.Limit, len(list))] {
		out.Body.Items = append(out.Body.Items, historyItem{v.N, v.At, v.Author, v.Message, v.Op, append([]manifest.Difference{}, v.Differences...), v.Text})
	}
	if len(list) > in.Limit {
		out.Body.Next = strconv.FormatInt(list[in.Limit-1].N, 36)
	}
	return out, nil
}
