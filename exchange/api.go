package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// ReceiptHeader bears the number of the first receipt of a read.
const ReceiptHeader = "Maru-Receipt"

// Serve registers the exchange's operations under /api/v1. events is the bus, and server where it listens, host:port.
func (x *Exchange) Serve(h huma.API, events Bus, server string) {
	op := func(id, method, path, tag, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Tags: []string{tag}, DefaultStatus: http.StatusOK, Errors: errs}
	}
	reads := op("read", http.MethodPost, "/reads", "exchange", "Read by an agreement; the receipt is durable before the data leave", 400, 404, 409, 429)
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	content := map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"records", "receipt"}, Properties: map[string]*huma.Schema{
		"records": {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
		"receipt": {Type: huma.TypeInteger, Format: "int64", Description: "The number of the receipt; of a read in parts, of the first"},
	}}}}
	for _, f := range registry.Forms {
		content[mediaOf(f)] = &huma.MediaType{Schema: binary}
	}
	reads.Responses = map[string]*huma.Response{"200": {Description: "What the agreement lets be read", Content: content, Headers: map[string]*huma.Param{
		ReceiptHeader: {Description: "The number of the first receipt", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
	}}}
	huma.Register(h, reads, x.serveRead)
	huma.Register(h, op("list-agreements", http.MethodGet, "/agreements", "exchange", "All agreements, as they stand"), x.listAgreements)
	huma.Register(h, op("get-agreement", http.MethodGet, "/agreements/{project}/{name}", "exchange", "One agreement with its events", 404), x.getAgreement)
	huma.Register(h, op("act-on-agreement", http.MethodPost, "/agreements/{project}/{name}/{action}", "exchange", "Approve, refuse, suspend, resume, revoke or renew an agreement", 404, 409), x.actOn)
	x.serveFeeds(h, op, events, server)
	huma.Register(h, op("who-am-i", http.MethodGet, "/me", "me", "Who the token or session is of", 404), x.me)
	huma.Register(h, op("list-my-receipts", http.MethodGet, "/me/receipts", "me", "What was read about me, the newest first", 400), x.myReceipts)
	huma.Register(h, op("get-receipt", http.MethodGet, "/receipts/{id}", "me", "A receipt with its proof, to be checked anywhere (maru verify)", 404), x.getReceipt)
	huma.Register(h, op("list-my-consents", http.MethodGet, "/me/consents", "me", "My consents"), x.myConsents)
	huma.Register(h, op("give-consent", http.MethodPost, "/me/consents", "me", "Consent to being read about by an agreement", 404), x.giveConsent)
	huma.Register(h, op("withdraw-consent", http.MethodDelete, "/me/consents", "me", "Take a consent back", 404), x.withdrawConsent)
	huma.Register(h, op("audit-log", http.MethodPost, "/log/audit", "exchange", "Look at everything the log stores, the private parts too; the first bad entry is named", 409), x.auditLog)
	huma.Register(h, op("rotate-keys", http.MethodPost, "/keys/rotate", "exchange", "Seal unique identifiers by a new key from now on; what was sealed before opens still"), x.rotateKeys)
	huma.Register(h, op("cut-off-agency", http.MethodPut, "/agencies/{agency}/cut-off", "exchange", "Stop all reads of an agency's projects", 404), x.cutOffAgency)
	huma.Register(h, op("reconnect-agency", http.MethodDelete, "/agencies/{agency}/cut-off", "exchange", "Let them go on", 404), x.reconnectAgency)
}

func mediaOf(f registry.Form) string {
	for i, c := range f.MediaType {
		if c == ';' {
			return f.MediaType[:i]
		}
	}
	return f.MediaType
}

type readInput struct {
	Body struct {
		Agreement string   `json:"agreement" minLength:"1" maxLength:"130" doc:"project/name of the consumer's agreement; a service account may leave its project out"`
		Purpose   string   `json:"purpose" minLength:"1" maxLength:"200" doc:"What it is for: must be the agreement's"`
		Subject   string   `json:"subject,omitempty" maxLength:"200" doc:"One person, by the identifier that the consumer's project has for them"`
		Subjects  []string `json:"subjects,omitempty" maxItems:"1000" doc:"Several, where the agreement lets many be read of"`
		Filter    string   `json:"filter,omitempty" maxLength:"16000" doc:"A condition in CEL over the agreement's fields that are neither masked nor identifiers. Without subject and subjects, all that it lets through is read"`
		Fields    []string `json:"fields,omitempty" maxItems:"500" doc:"Some of the agreement's fields; all where none are named"`
		As        string   `json:"as,omitempty" enum:"json,jsonl,csv,xlsx,geojson,parquet,arrow" doc:"json where it isn't said"`
	}
}

func (x *Exchange) serveRead(ctx context.Context, in *readInput) (*huma.StreamResponse, error) {
	who := identity.From(ctx)
	r := Request{Agreement: in.Body.Agreement, Purpose: in.Body.Purpose, Subject: in.Body.Subject, Subjects: in.Body.Subjects, Filter: in.Body.Filter, Fields: in.Body.Fields}
	form, ok := registry.FormNamed(in.Body.As)
	if !ok && !r.bulk() {
		return x.readNamed(ctx, who, r)
	}
	return &huma.StreamResponse{Body: func(h huma.Context) { x.stream(h, who, r, form, ok) }}, nil
}

// readNamed answers for people who are named, in JSON.
func (x *Exchange) readNamed(ctx context.Context, who *identity.Principal, r Request) (*huma.StreamResponse, error) {
	records, receipt, err := x.One(ctx, who, r)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		p := problem.New("agreement.nobody", 404, lang.T("협약으로 읽을 수 있는 레코드가 없습니다", "there is no record that the agreement lets be read"))
		p.With = map[string]any{"receipt": receipt}
		return nil, p
	}
	var b bytes.Buffer
	b.WriteString(`{"records":[`)
	for i, rec := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := rec.FieldsJSON()
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	fmt.Fprintf(&b, `],"receipt":%d}`+"\n", receipt)
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		h.SetHeader(ReceiptHeader, strconv.FormatInt(receipt, 10))
		_, _ = h.BodyWriter().Write(b.Bytes()) // the client went away: nobody to tell
	}}, nil
}

// stream answers in parts, each after its receipt.
func (x *Exchange) stream(h huma.Context, who *identity.Principal, r Request, form registry.Form, ok bool) {
	out := registry.Patiently(h.BodyWriter())
	var write registry.Writer
	begun, first := false, true
	begin := func(p Part) {
		begun = true
		h.SetHeader(ReceiptHeader, strconv.FormatInt(p.Receipt, 10))
		if ok {
			h.SetHeader("Content-Type", form.MediaType)
			return
		}
		h.SetHeader("Content-Type", "application/json")
		_, _ = fmt.Fprintf(out, `{"receipt":%d,"records":[`, p.Receipt)
	}
	err := x.Read(h.Context(), who, r, func(fields []*catalog.Field, p Part) error {
		if !begun {
			begin(p)
			if ok {
				write = form.NewWriter(out, fields)
			}
		}
		for _, rec := range p.Records {
			if ok {
				if err := write.Write(rec); err != nil {
					return err
				}
				continue
			}
			text, err := rec.FieldsJSON()
			if err != nil {
				return err
			}
			if !first {
				text = append([]byte{','}, text...)
			}
			first = false
			if _, err := out.Write(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && ok {
		err = write.Close()
	}
	if err == nil && !ok {
		_, err = io.WriteString(out, "]}\n")
	}
	if err == nil {
		return
	}
	if begun {
		panic(http.ErrAbortHandler) // the client must see that the end is missing
	}
	req, w := humago.Unwrap(h)
	httpd.Fail(w, req, err)
}

// agreementVersion is a version of an agreement in the API.
type agreementVersion struct {
	Version  int64             `json:"version"`
	State    State             `json:"state" enum:"requested,active,suspended,revoked,refused,replaced,expired"`
	Dataset  string            `json:"dataset"`
	Purpose  string            `json:"purpose"`
	Basis    string            `json:"basis,omitempty"`
	Fields   []string          `json:"fields"`
	Where    string            `json:"where,omitempty"`
	Masks    map[string]string `json:"masks,omitempty"`
	Subject  string            `json:"subject" enum:"one,many"`
	Consent  string            `json:"consent" enum:"law,asked,none"`
	Limit    string            `json:"limit,omitempty"`
	Stream   bool              `json:"events,omitempty" doc:"Each change of what it lets be read is sent"`
	Webhook  string            `json:"webhook,omitempty" doc:"The address to which changes are posted"`
	Until    string            `json:"until"`
	Author   string            `json:"author"`
	At       time.Time         `json:"at"`
	Steward  string            `json:"steward,omitempty" doc:"Who approved it for the provider"`
	Privacy  string            `json:"privacy_officer,omitempty" doc:"Who approved it as privacy officer"`
	Personal bool              `json:"personal" doc:"A field, or one in where, is about persons: the privacy officer must approve it"`
}

func (x *Exchange) bodyOf(v *Version) *agreementVersion {
	if v == nil {
		return nil
	}
	out := &agreementVersion{
		Version: v.Version, State: v.Stands(x.today()), Dataset: v.Dataset, Purpose: v.Spec.Purpose, Basis: v.Spec.Basis, Fields: v.Spec.Fields, Where: v.Spec.Where, Masks: v.Spec.Masks,
		Subject: v.Spec.Subject, Consent: v.Spec.Consent, Limit: v.Spec.Limit, Stream: v.Spec.Events, Webhook: v.Spec.Webhook, Until: string(v.Until), Author: v.Author, At: v.At, Steward: v.Steward, Privacy: v.Privacy, Personal: v.Personal,
	}
	if out.Subject == "" {
		out.Subject = "one"
	}
	if out.Consent == "" {
		out.Consent = "law"
	}
	return out
}

type agreementBody struct {
	Project string            `json:"project"`
	Name    string            `json:"name"`
	Holds   *agreementVersion `json:"holds,omitempty" doc:"The version by which is read"`
	Waits   *agreementVersion `json:"waits,omitempty" doc:"The version that waits for approval"`
	Last    *agreementVersion `json:"last" doc:"The newest version"`
	Events  []eventBody       `json:"events,omitempty"`
}

type eventBody struct {
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	What    string    `json:"what"`
	Note    string    `json:"note,omitempty"`
}

func (x *Exchange) agreementBody(s Standing) agreementBody {
	return agreementBody{Project: s.Last.Project, Name: s.Last.Name, Holds: x.bodyOf(s.Holds), Waits: x.bodyOf(s.Waits), Last: x.bodyOf(s.Last)}
}

type itemsOf[T any] struct {
	Body struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
	}
}

func (x *Exchange) listAgreements(ctx context.Context, _ *struct{}) (*itemsOf[agreementBody], error) {
	who := identity.From(ctx)
	all, err := x.Agreements(ctx)
	if err != nil {
		return nil, err
	}
	out := &itemsOf[agreementBody]{}
	out.Body.Items = []agreementBody{}
	for _, s := range all {
		if x.concerned(who, s.Last.Project) {
			out.Body.Items = append(out.Body.Items, x.agreementBody(s))
		}
	}
	if !who.SignedIn() || who.Kind == identity.Citizen {
		return nil, who.Refused()
	}
	return out, nil
}

// AgreementPath is an agreement in an address.
type AgreementPath struct {
	Project string `path:"project" maxLength:"63"`
	Name    string `path:"name" maxLength:"63"`
}

func (x *Exchange) getAgreement(ctx context.Context, in *AgreementPath) (*struct{ Body agreementBody }, error) {
	who := identity.From(ctx)
	if !x.concerned(who, in.Project) {
		return nil, who.Refused()
	}
	s, events, err := x.Agreement(ctx, in.Project, in.Name)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body agreementBody }{x.agreementBody(s)}
	for _, e := range events {
		out.Body.Events = append(out.Body.Events, eventBody(e))
	}
	return out, nil
}

type actBody struct {
	Note  string `json:"note,omitempty" maxLength:"2000" doc:"Why; refuse, suspend and revoke need it"`
	Until string `json:"until,omitempty" format:"date" doc:"Of a renewal: the new last day"`
}

func (x *Exchange) actOn(ctx context.Context, in *struct {
	AgreementPath
	Action string `path:"action" enum:"approve,refuse,suspend,resume,revoke,renew"`
	Body   *actBody
},
) (*struct{ Body agreementBody }, error) {
	if in.Body == nil {
		in.Body = &actBody{}
	}
	s, err := x.Act(ctx, identity.From(ctx), in.Project, in.Name, in.Action, in.Body.Note, manifest.Day(in.Body.Until))
	if err != nil {
		return nil, err
	}
	return &struct{ Body agreementBody }{x.agreementBody(s)}, nil
}

type meBody struct {
	Kind    string          `json:"kind" enum:"citizen,official,service"`
	Name    string          `json:"name"`
	Account string          `json:"account"`
	Agency  string          `json:"agency,omitempty"`
	Project string          `json:"project,omitempty"`
	Roles   []identity.Role `json:"roles"`
	ID      string          `json:"id" doc:"Of a citizen, with for: the identifier that the project knows them by. Otherwise the account"`
}

func (x *Exchange) me(ctx context.Context, in *struct {
	For string `query:"for" maxLength:"63" doc:"A project"`
},
) (*struct{ Body meBody }, error) {
	who := identity.From(ctx)
	if !who.SignedIn() {
		return nil, who.Refused()
	}
	out := &struct{ Body meBody }{meBody{Kind: string(who.Kind), Name: who.Name, Account: who.Account, Agency: who.Agency, Project: who.Project, Roles: append([]identity.Role{}, who.Roles...), ID: who.Account}}
	if n := Person(who.Person); n > 0 && in.For != "" {
		if x.catalog().Get(manifest.Key{Kind: "Project", Name: in.For}) == nil {
			return nil, problem.New("project.unknown", 404, lang.F("없는 사업입니다: %s", "there is no project %s", in.For))
		}
		id, err := x.Pseudonym(in.For, "person", n)
		if err != nil {
			return nil, err
		}
		out.Body.ID = id
	}
	return out, nil
}

// receiptBody is a receipt as a citizen sees it.
type receiptBody struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Sentence string    `json:"sentence" doc:"What happened, in plain words, in the language of Accept-Language"`
	Reader   string    `json:"reader" doc:"The office, and its project"`
	Actor    string    `json:"actor" doc:"Who read"`
	Purpose  string    `json:"purpose"`
	Basis    string    `json:"basis,omitempty"`
	Dataset  string    `json:"dataset"`
	Fields   []string  `json:"fields"`
	Bulk     bool      `json:"bulk" doc:"Others were read about at once"`
}

func (x *Exchange) myReceipts(ctx context.Context, in *struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor" maxLength:"100" doc:"The next of the page before"`
},
) (*itemsOf[receiptBody], error) {
	before := int64(0)
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 36, 64)
		if err != nil || n < 1 {
			return nil, problem.New("list.cursor", 400, lang.T("이 목록의 cursor가 아닙니다", "the cursor isn't of this list"))
		}
		before = n
	}
	list, err := x.Receipts(ctx, identity.From(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out, tag, s := &itemsOf[receiptBody]{}, lang.From(ctx), x.catalog()
	out.Body.Items = []receiptBody{}
	for i := range list[:min(in.Limit, len(list))] {
		r := &list[i]
		out.Body.Items = append(out.Body.Items, receiptBody{
			ID: r.ID, At: r.At, Sentence: r.Sentence(s).In(tag), Reader: r.Reader(s).In(tag), Actor: r.Actor, Purpose: r.Why().In(tag), Basis: r.Basis, Dataset: r.Dataset, Fields: r.Fields, Bulk: r.People > 1,
		})
	}
	if len(list) > in.Limit {
		out.Body.Next = strconv.FormatInt(list[in.Limit-1].ID, 36)
	}
	return out, nil
}

func (x *Exchange) getReceipt(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"0"`
},
) (*huma.StreamResponse, error) {
	_, proof, err := x.Prove(ctx, identity.From(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	text, err := proofJSON(proof)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		h.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="receipt-%d.json"`, in.ID))
		_, _ = h.BodyWriter().Write(text)
	}}, nil
}

// proofJSON writes a proof so that entry and private part stay what they are, to the byte.
func proofJSON(p Proof) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(p)
	return b.Bytes(), err
}

type consentBody struct {
	Agreement string     `json:"agreement"`
	Given     time.Time  `json:"given"`
	Withdrawn *time.Time `json:"withdrawn,omitempty"`
}

func (x *Exchange) myConsents(ctx context.Context, _ *struct{}) (*itemsOf[consentBody], error) {
	all, err := x.Consents(ctx, identity.From(ctx))
	if err != nil {
		return nil, err
	}
	out := &itemsOf[consentBody]{}
	out.Body.Items = []consentBody{}
	for _, c := range all {
		one := consentBody{Agreement: c.Agreement, Given: c.Given}
		if !c.Withdrawn.IsZero() {
			one.Withdrawn = &c.Withdrawn
		}
		out.Body.Items = append(out.Body.Items, one)
	}
	return out, nil
}

type consentInput struct {
	Body struct {
		Agreement string `json:"agreement" minLength:"3" maxLength:"130" doc:"project/name"`
	}
}

func (x *Exchange) giveConsent(ctx context.Context, in *consentInput) (*itemsOf[consentBody], error) {
	if err := x.Consent(ctx, identity.From(ctx), in.Body.Agreement, true); err != nil {
		return nil, err
	}
	return x.myConsents(ctx, nil)
}

func (x *Exchange) withdrawConsent(ctx context.Context, in *struct {
	Agreement string `query:"agreement" required:"true" minLength:"3" maxLength:"130" doc:"project/name"`
},
) (*itemsOf[consentBody], error) {
	if err := x.Consent(ctx, identity.From(ctx), in.Agreement, false); err != nil {
		return nil, err
	}
	return x.myConsents(ctx, nil)
}

func (x *Exchange) rotateKeys(ctx context.Context, _ *struct{}) (*struct{}, error) {
	if err := identity.From(ctx).Need(identity.RotateKeys, identity.Place{}); err != nil {
		return nil, err
	}
	return nil, x.keys.Rotate()
}

type auditOutput struct {
	Body struct {
		Size int64  `json:"size" doc:"How many entries were looked at: all"`
		Root string `json:"root" doc:"The root of the tree, base64"`
	}
}

func (x *Exchange) auditLog(ctx context.Context, _ *struct{}) (*auditOutput, error) {
	t, err := x.Audit(ctx, identity.From(ctx))
	if err != nil {
		return nil, err
	}
	out := &auditOutput{}
	out.Body.Size, out.Body.Root = t.Size, t.Root.String()
	return out, nil
}

func (x *Exchange) cutOffAgency(ctx context.Context, in *struct {
	Agency string `path:"agency" maxLength:"63"`
	Body   struct {
		Note string `json:"note" minLength:"1" maxLength:"2000" doc:"Why"`
	}
},
) (*struct{}, error) {
	return nil, x.CutOff(ctx, identity.From(ctx), in.Agency, true, in.Body.Note)
}

func (x *Exchange) reconnectAgency(ctx context.Context, in *struct {
	Agency string `path:"agency" maxLength:"63"`
},
) (*struct{}, error) {
	return nil, x.CutOff(ctx, identity.From(ctx), in.Agency, false, "")
}
