package portal

import (
	"context"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Changes is what the portal asks of the records beside [Records]; where they can't say it, a page has less on it.
type Changes interface {
	LastChanged(ctx context.Context) (map[string]time.Time, error)
	Stream(ctx context.Context, d *catalog.Dataset, q registry.Query, yield func(*registry.Record) error) error
}

// fresh says how old what is seen of a dataset is.
type fresh struct {
	Now     time.Time
	Changed time.Time             // of its records; zero: never
	Source  *registry.SourceState // nil: it has none
}

func (p *Portal) fresh(ctx context.Context, d *catalog.Dataset) (f fresh, err error) {
	f.Now = p.Now()
	if changes, ok := p.Records.(Changes); ok {
		all, err := changes.LastChanged(ctx)
		if err != nil {
			return f, err
		}
		f.Changed = all[d.Path()]
	}
	if d.Spec.Source != nil {
		f.Source, err = p.Records.SourceState(ctx, d)
	}
	return f, err
}

// troubled says that the source can't be read, and of when what is seen is; it says nothing where all is well. Why is for those who keep the source.
func (f fresh) troubled(ctx context.Context) lang.Text {
	switch {
	case f.Source == nil || f.Source.Failed == 0:
		return lang.Text{}
	case f.Source.Good.IsZero():
		return lang.T("제공 기관의 원본을 아직 불러오지 못하고 있습니다.", "What the office has couldn't be fetched yet.")
	}
	said := components.Sayf(ctx, "지금은 제공 기관의 원본을 불러오지 못해, 마지막으로 정상 확인한 %[1]s(%[2]s)의 자료를 보여 드립니다.", "What the office has can't be fetched at the moment. What you see is its last good state, of %[1]s (%[2]s).", components.Moment(ctx, f.Source.Good), ago(ctx, f.Now, f.Source.Good))
	return lang.T(said, said)
}

// facts are when the records last changed, and when the source was last found to have no more.
func (f fresh) facts(ctx context.Context) (out []components.Fact) {
	add := func(name lang.Text, at time.Time) {
		if !at.IsZero() {
			out = append(out, components.Fact{Name: name, Value: components.Plain(components.Moment(ctx, at) + " (" + ago(ctx, f.Now, at) + ")")})
		}
	}
	add(lang.T("최근 변경", "Last changed"), f.Changed)
	if f.Source != nil {
		add(lang.T("원본 확인", "Source last read"), f.Source.Good)
	}
	return out
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
