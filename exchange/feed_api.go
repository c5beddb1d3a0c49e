package exchange

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

// serveFeeds registers the operations on events.
func (x *Exchange) serveFeeds(h huma.API, op func(id, method, path, tag, summary string, errs ...int) huma.Operation, events Bus, server string) {
	huma.Register(h, op("get-feed", http.MethodGet, "/feeds/{project}/{name}", "events", "How the events of an agreement stand", 404, 409),
		func(ctx context.Context, in *AgreementPath) (*struct{ Body feedBody }, error) {
			return x.getFeed(ctx, in, events, server)
		})
	huma.Register(h, op("set-cursor", http.MethodPut, "/feeds/{project}/{name}/cursors/{cursor}", "events", "Make a place from which events are read by NATS, or move it to a time", 404, 409),
		func(ctx context.Context, in *cursorInput) (*struct{}, error) {
			return nil, x.setCursor(ctx, in, events)
		})
	described := op("describe-events", http.MethodGet, "/asyncapi.json", "events", "The events that concern you, as AsyncAPI 3.0")
	huma.Register(h, described, func(ctx context.Context, _ *struct{}) (*struct{ Body json.RawMessage }, error) {
		text, err := x.AsyncAPI(ctx, identity.From(ctx), server)
		return &struct{ Body json.RawMessage }{text}, err
	})
}

// feedBody is how an agreement's events stand.
type feedBody struct {
	Server  string     `json:"server,omitempty" doc:"Where they are read by NATS, host:port"`
	Stream  string     `json:"stream" doc:"The JetStream stream"`
	Cursor  string     `json:"cursor" doc:"Its durable consumer that is there from the beginning"`
	Waiting bool       `json:"waiting" doc:"Whether changes haven't been looked at yet; how many would tell of those that the agreement doesn't let be seen"`
	Webhook string     `json:"webhook,omitempty" doc:"Where they are posted to"`
	Failed  int64      `json:"failed" doc:"How often in a row the webhook didn't take the event that is next"`
	Reason  string     `json:"reason,omitempty" doc:"Why not, the last time"`
	At      *time.Time `json:"at,omitempty" doc:"Then"`
}

func (x *Exchange) getFeed(ctx context.Context, in *AgreementPath, events Bus, server string) (*struct{ Body feedBody }, error) {
	who := identity.From(ctx)
	if !x.concerned(who, in.Project) {
		return nil, who.Refused()
	}
	v, err := x.holding(ctx, in.Project, in.Name)
	if err != nil {
		return nil, err
	}
	s, err := x.Feed(ctx, in.Project, in.Name)
	if err != nil {
		return nil, err
	}
	if s == nil || v == nil {
		return nil, x.noFeed(ctx, in.Project, in.Name)
	}
	if err := events.Cursor(ctx, s.Stream, MainCursor, time.Time{}); err != nil { // who asks may be quicker than the sender
		return nil, err
	}
	out := &struct{ Body feedBody }{feedBody{Server: server, Stream: s.Stream, Cursor: MainCursor, Waiting: s.Waiting, Webhook: v.Spec.Webhook, Failed: s.Failed, Reason: s.Reason.In(lang.From(ctx))}}
	if !s.At.IsZero() {
		out.Body.At = &s.At
	}
	return out, nil
}

// noFeed says that an agreement has no events now.
func (x *Exchange) noFeed(ctx context.Context, project, name string) error {
	if _, _, err := x.Agreement(ctx, project, name); err != nil {
		return err
	}
	return problem.New("agreement.events", 409, lang.F("변경 알림을 보내지 않는 협약이거나 지금 효력이 없는 협약입니다: %s/%s", "the agreement %s/%s has no events, or doesn't hold now", project, name)).
		Hinting(lang.T("협약에 events: true를 쓰고 승인을 받으십시오", "write events: true in the agreement, and have it approved"))
}

type cursorInput struct {
	AgreementPath
	Cursor string `path:"cursor" pattern:"^[a-z][a-z0-9-]*$" maxLength:"32"`
	Body   struct {
		From *time.Time `json:"from,omitempty" doc:"Read again from what went out at that time on; without it a cursor that is there stays where it is, and a new one begins with what there is"`
	}
}

func (x *Exchange) setCursor(ctx context.Context, in *cursorInput, events Bus) error {
	who := identity.From(ctx)
	if err := who.Need(identity.ReadGoverned, x.catalog().Place(in.Project)); err != nil {
		return err
	}
	s, err := x.Feed(ctx, in.Project, in.Name)
	if err != nil {
		return err
	}
	if s == nil {
		return x.noFeed(ctx, in.Project, in.Name)
	}
	if in.Cursor == hookCursor {
		return problem.New("feed.cursor", 409, lang.F("쓸 수 없는 이름입니다: %s", "the name %s can't be used", in.Cursor)).Hinting(lang.T("다른 이름을 쓰십시오", "use another name"))
	}
	from := time.Time{}
	if in.Body.From != nil {
		from = *in.Body.From
	}
	return events.Cursor(ctx, s.Stream, in.Cursor, from)
}
