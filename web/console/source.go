package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// sourceView is how a dataset's source stands.
type sourceView struct {
	*registry.SourceState
	From string // what it is, in words of the manifest, without keys that addresses may hold
	Mine bool   // who asks may have it read, and let a held import go on
	Now  time.Time
}

// troubled reports whether what the source has isn't here.
func (v *sourceView) troubled() bool { return v.Failed > 0 }

// sourceOf is nil for a dataset without one.
func (c *Console) sourceOf(ctx context.Context, v *datasetView) (*sourceView, error) {
	from := v.Dataset.Spec.Source
	if from == nil {
		return nil, nil
	}
	state, err := c.records.SourceState(ctx, v.Dataset)
	if err != nil {
		return nil, err
	}
	state = state.Told(v.Who, v.Dataset, v.Snapshot.Place(v.Dataset.Project))
	return &sourceView{state, placeOf(from), v.Who.May(identity.Write, v.Snapshot.Place(v.Dataset.Project)), c.now()}, nil
}

// placeOf is where a source lies, for people.
func placeOf(from *manifest.Source) string {
	switch {
	case from.File+from.Folder != "":
		return from.File + from.Folder
	case from.Database != "":
		u, err := url.Parse(from.Database)
		if err != nil {
			return from.Table
		}
		return u.Host + u.Path + " · " + from.Table
	}
	u, err := url.Parse(from.HTTP + from.OpenAPI)
	if err != nil {
		return ""
	}
	return u.Host
}

// troubled are the datasets whose sources can't be read or taken.
func (c *Console) troubled(ctx context.Context, list []*catalog.Dataset) ([]*catalog.Dataset, error) {
	ids, err := c.records.Troubled(ctx)
	return filter(list, func(d *catalog.Dataset) bool { return d.Spec.Source != nil && slices.Contains(ids, d.Path()) }), err
}

// actOnSource has a dataset's source read now, or lets a held import go on.
func (c *Console) actOnSource(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := c.orderSource(r); err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, datasetPath(r.PathValue("project"), r.PathValue("name"))+"?tab=imports&"+sinceName+"="+strconv.FormatInt(c.now().Unix(), 10), http.StatusSeeOther)
}

// sinceName says in an address when something was ordered: until it is seen the page looks again.
const sinceName = "since"

// patienceSeconds is how long a page looks again for what was ordered.
const patienceSeconds = 60

// ordered is since when something is ordered, 0 where nothing was lately.
func (v datasetView) ordered() int64 {
	since, err := strconv.ParseInt(v.URL.Query().Get(sinceName), 10, 64)
	if age := v.Now.Unix() - since; err != nil || age < 0 || age > patienceSeconds {
		return 0
	}
	return since
}

// brought reports whether an import has begun or ended since what was ordered.
func (v datasetView) brought() bool {
	since := v.ordered()
	return since > 0 && slices.ContainsFunc(v.Imports, func(i *registry.Import) bool { return i.Started.Unix() >= since || i.Ended.Unix() >= since })
}

// awaited reports whether what was ordered lately hasn't been seen yet.
func (v datasetView) awaited() bool {
	since := v.ordered()
	return since > 0 && !v.brought() && (v.Source == nil || v.Source.Tried.Unix() < since)
}

func (c *Console) orderSource(r *http.Request) error {
	s, who := c.catalog.Snapshot(), identity.From(r.Context())
	d := s.Dataset(r.PathValue("project"), r.PathValue("name"))
	if err := who.Need(identity.SeeCatalog, identity.Place{}); err != nil {
		return err
	}
	if d == nil || d.Spec.Source == nil {
		return missing("Dataset", r.PathValue("project")+"/"+r.PathValue("name"))
	}
	if err := who.Need(identity.Write, s.Place(d.Project)); err != nil {
		return err
	}
	if r.PostFormValue("action") != "accept" {
		return c.work.StartSource(r.Context(), d.Project, d.Name)
	}
	id, err := strconv.ParseInt(r.PostFormValue("import"), 10, 64)
	if err != nil {
		return components.NotFound(lang.T("없는 가져오기입니다", "there is no such import"))
	}
	i, err := c.records.Import(r.Context(), id)
	if err != nil {
		return err
	}
	if i.Project != d.Project || i.Dataset != d.Name {
		return components.NotFound(lang.T("없는 가져오기입니다", "there is no such import"))
	}
	if i.LetGo {
		return nil // somebody else was quicker, or the button was pressed twice
	}
	if err := c.records.Accept(r.Context(), id); err != nil {
		return err
	}
	c.work.StartImport(id)
	return nil
}

// bringer is who brought an import.
func bringer(by registry.By) lang.Text {
	if by.Via == "source" {
		return lang.T("원본에서 자동으로", "from the source")
	}
	return author(by.Actor)
}

// ago is how long before now a moment was, in the largest unit that says it.
func ago(ctx context.Context, now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case d < time.Minute:
		return components.Say(ctx, "방금", "just now")
	case d < time.Hour:
		return components.Sayf(ctx, "%s분 전", "%s min ago", components.Number(int(d.Minutes())))
	case d < 48*time.Hour:
		return components.Sayf(ctx, "%s시간 전", "%s h ago", components.Number(int(d.Hours())))
	}
	return components.Sayf(ctx, "%s일 전", "%s days ago", components.Number(int(d.Hours()/24)))
}

// asOf says of when what is seen is, of a source in trouble.
func asOf(ctx context.Context, v *sourceView) lang.Text {
	if v.Good.IsZero() {
		return lang.T("원본을 아직 한 번도 반영하지 못했습니다.", "Nothing from the source could be taken yet.")
	}
	return lang.F("원본의 최신 내용을 반영하지 못했습니다. %[1]s(%[2]s) 기준의 자료입니다.", "The newest from the source could not be taken: these data are as of %[1]s (%[2]s).", components.Moment(ctx, v.Good), ago(ctx, v.Now, v.Good))
}

func sourceFacts(ctx context.Context, v *sourceView, from *manifest.Source) []components.Fact {
	out := []components.Fact{{Name: lang.T("위치", "Where"), Value: components.Mono(v.From)}}
	add := func(name lang.Text, value string) {
		if value != "" {
			out = append(out, components.Fact{Name: name, Value: components.Plain(value)})
		}
	}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return components.Say(ctx, "아직 없음", "not yet")
		}
		return components.Sayf(ctx, "%s (%s)", "%s (%s)", components.Moment(ctx, t), ago(ctx, v.Now, t))
	}
	add(lang.T("자료 기준 시각", "As of"), moment(v.Good))
	add(lang.T("마지막 확인", "Last looked at"), moment(v.Tried))
	if from.Publication != "" {
		add(lang.T("읽는 주기", "Read"), components.Say(ctx, "바뀌는 대로", "as it changes"))
		return out
	}
	add(lang.T("읽는 주기", "Read"), scheduled(ctx, from.Schedule))
	return out
}

// scheduled is a schedule as people say it.
func scheduled(ctx context.Context, s string) string {
	if s == "" {
		return components.Say(ctx, "요청할 때만", "only when asked")
	}
	if rest, ok := strings.CutPrefix(s, "every "); ok {
		if d, err := time.ParseDuration(strings.TrimSpace(rest)); err == nil {
			switch {
			case d%time.Hour == 0:
				return components.Sayf(ctx, "%s시간마다", "every %s h", components.Number(int(d/time.Hour)))
			case d%time.Minute == 0:
				return components.Sayf(ctx, "%s분마다", "every %s min", components.Number(int(d/time.Minute)))
			}
			return components.Sayf(ctx, "%s초마다", "every %s s", components.Number(int(d/time.Second)))
		}
	}
	f := strings.Fields(s) // minute, hour, day of the month, month, day of the week
	if len(f) == 5 && f[2] == "*" && f[3] == "*" {
		minute, err := strconv.Atoi(f[0])
		hour, err2 := strconv.Atoi(f[1])
		day, err3 := strconv.Atoi(f[4])
		at := fmt.Sprintf("%02d:%02d", hour, minute)
		switch {
		case err != nil || err2 != nil:
		case f[4] == "*":
			return components.Sayf(ctx, "매일 %s", "every day at %s", at)
		case err3 == nil && day >= 0 && day <= 7:
			return components.Sayf(ctx, "매주 %[1]s %[2]s", "every %[1]s at %[2]s", components.In(ctx, weekdays[day%7]), at)
		}
	}
	return s
}

var weekdays = [7]lang.Text{
	lang.T("일요일", "Sunday"), lang.T("월요일", "Monday"), lang.T("화요일", "Tuesday"), lang.T("수요일", "Wednesday"), lang.T("목요일", "Thursday"), lang.T("금요일", "Friday"), lang.T("토요일", "Saturday"),
}
