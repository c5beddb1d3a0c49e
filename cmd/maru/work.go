package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/jobs"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
)

// The kinds of work that are done in the background.
const (
	importWork = "import" // subject: the import's number
	sourceWork = "source" // subject: project/dataset
	casesWork  = "cases"  // subject: one of those below
	demoWork   = "demo"   // subject: what is made for the demo
)

// errAgain is that a source can't be read now, which is noted, and that it is worth trying again soon.
var errAgain = errors.New("the source can't be read now")

// openWork opens the queue, and the folders of sources and of their secrets.
func (s *server) openWork(ctx context.Context, c config) error {
	sources, err := s.folder(c, "sources")
	if err != nil {
		return err
	}
	secrets, err := s.folder(c, "secrets")
	if err != nil {
		return err
	}
	allowed, err := prefixes(c.Fetch)
	if err != nil {
		return err
	}
	s.sources = &source.Reader{Folder: sources, Net: fetch.New(allowed), Secret: source.Secrets(secrets)}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("name of this machine: %w", err)
	}
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	s.node = host + " " + data
	s.jobs, err = jobs.Open(ctx, s.db, jobs.Options{Database: c.Database, Node: s.node, Kinds: s.work(), Pauses: map[string]func(int) time.Duration{sourceWork: source.Pause}})
	return err
}

// folder opens a folder of the server's data, and makes it where it isn't there.
func (s *server) folder(c config, name string) (*os.Root, error) {
	path := filepath.Join(c.Data, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", name, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the folder %s: %w", name, err)
	}
	s.closers = append(s.closers, root)
	return root, nil
}

// prefixes reads networks such as 10.0.0.0/8.
func prefixes(written []string) (out []netip.Prefix, _ error) {
	for _, w := range written {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			return nil, problem.New("config.fetch", 400, lang.F("설정 fetch에 주소 대역이 아닌 값이 있습니다: %q", "%q in the setting fetch is no network", w)).
				Hinting(lang.T("10.0.0.0/8처럼 쓰세요", "write it as 10.0.0.0/8"))
		}
		out = append(out, p)
	}
	return out, nil
}

// work is what the queue does.
func (s *server) work() map[string]jobs.Handler {
	return map[string]jobs.Handler{
		importWork: func(ctx context.Context, subject string) error {
			id, err := strconv.ParseInt(subject, 10, 64)
			if err != nil {
				return fmt.Errorf("import %q: %w", subject, err)
			}
			return s.registry.Run(ctx, id, s.catalog.Snapshot().Dataset)
		},
		sourceWork: func(ctx context.Context, subject string) error {
			project, name, _ := strings.Cut(subject, "/")
			i, again, err := s.registry.ReadSource(ctx, s.sources, s.catalog.Snapshot().Dataset, project, name)
			if err == nil && i != nil {
				slog.Info("source read", "dataset", subject, "state", i.State, "loaded", i.Loaded, "changed", i.Changed, "unchanged", i.Unchanged, "rejected", i.Rejected, "deleted", i.Deleted)
			}
			if err == nil && again {
				return errAgain
			}
			return err
		},
		casesWork: func(ctx context.Context, subject string) error {
			if subject == calendarChanged {
				n, err := s.cases.Recount(ctx)
				if n > 0 {
					slog.Info("terms of open cases counted anew", "moved", n)
				}
				return err
			}
			if subject == whatExpires {
				n, err := s.cases.Expire(ctx)
				if n > 0 {
					slog.Info("applications that nobody went on with deleted", "drafts", n)
				}
				return err
			}
			_, err := s.cases.Wake(ctx)
			return err
		},
		demoWork: func(ctx context.Context, _ string) error { return s.makeCases(ctx) },
	}
}

// What is done about cases.
const (
	whatIsDue       = "due"      // each minute
	whatExpires     = "expire"   // each hour
	calendarChanged = "calendar" // also at each start: it may have changed while this node was down
)

// StartImport asks for an import to be run. Where that fails, the next start of the program finds it.
func (s *server) StartImport(id int64) {
	if err := s.jobs.Enqueue(context.Background(), importWork, strconv.FormatInt(id, 10)); err != nil {
		slog.Error("import: it waits for the next start", "import", id, "error", err)
	}
}

// StartSource asks for a dataset's source to be read.
func (s *server) StartSource(ctx context.Context, project, dataset string) error {
	return s.jobs.Enqueue(ctx, sourceWork, project+"/"+dataset)
}

// begin takes up what was left undone and keeps the schedules as the catalog says, until ctx ends.
func (s *server) begin(ctx context.Context) error {
	if err := s.registry.Sweep(ctx); err != nil {
		return err
	}
	left, err := s.registry.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, i := range left {
		s.StartImport(i.ID)
	}
	if err := s.jobs.Start(ctx); err != nil {
		return err
	}
	go s.schedule(ctx)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.registry.NewReplicas(s.sources, s.catalog.Snapshot, s.node).Run(ctx)
	}()
	s.closers = append(s.closers, closing(func() error {
		stop()
		<-done
		return nil
	}))
	return nil
}

// closing is something that is closed by a function.
type closing func() error

func (c closing) Close() error { return c() }

// schedule follows the catalog's revisions.
func (s *server) schedule(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	minute, err := manifest.ParseSchedule("every 1m")
	hour, wrong := manifest.ParseSchedule("every 1h")
	if err = errors.Join(err, wrong); err == nil {
		err = s.jobs.Schedule(casesWork, []jobs.Due{{Subject: whatIsDue, Schedule: minute}, {Subject: whatExpires, Schedule: hour}})
	}
	if err != nil {
		slog.Error("cases: what is due can't be told", "error", err)
	}
	known := map[string]string{}
	var calendars []*manifest.Resource
	for done := int64(-1); ; {
		if now := s.catalog.Snapshot(); now.Revision != done {
			if list := now.List("Calendar"); done < 0 || !slices.Equal(list, calendars) {
				calendars = list
				if err := s.jobs.Enqueue(ctx, casesWork, calendarChanged); err != nil {
					slog.Error("cases: terms aren't counted anew", "error", err)
				}
			}
			var due []jobs.Due
			for _, d := range now.Datasets() {
				if d.Spec.Source == nil || d.Spec.Source.Schedule == "" {
					continue
				}
				schedule, err := manifest.ParseSchedule(d.Spec.Source.Schedule)
				if err != nil {
					slog.Error("source: its schedule can't be read", "dataset", d.Path(), "error", err)
					continue
				}
				if known[d.Path()] != d.Spec.Source.Schedule { // what is new isn't waited for
					known[d.Path()] = d.Spec.Source.Schedule
					if err := s.StartSource(ctx, d.Project, d.Name); err != nil {
						slog.Error("source: it waits for its schedule", "dataset", d.Path(), "error", err)
					}
				}
				due = append(due, jobs.Due{Subject: d.Path(), Text: d.Spec.Source.Schedule, Schedule: schedule})
			}
			if err := s.jobs.Schedule(sourceWork, due); err != nil {
				slog.Error("source: the schedules can't be set", "error", err)
			}
			done = now.Revision
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
