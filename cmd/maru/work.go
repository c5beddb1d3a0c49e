package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/jobs"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// The kinds of work that are done in the background.
const (
	importWork = "import" // subject: the import's number
	sourceWork = "source" // subject: project/dataset
)

// openWork opens the queue, and the folder of sources.
func (s *server) openWork(ctx context.Context, c config) error {
	folder := filepath.Join(c.Data, "sources")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of sources: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open the folder of sources: %w", err)
	}
	s.closers = append(s.closers, root)
	allowed, err := prefixes(c.Fetch)
	if err != nil {
		return err
	}
	s.sources = registry.Sources{Folder: root, Client: fetch.New(allowed)}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("name of this machine: %w", err)
	}
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	s.jobs, err = jobs.Open(ctx, s.db, jobs.Options{Database: c.Database, Node: host + " " + data, Kinds: s.work()})
	return err
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
			i, err := s.registry.ReadSource(ctx, s.sources, s.catalog.Snapshot().Dataset, project, name)
			if err == nil && i != nil {
				slog.Info("source read", "dataset", subject, "state", i.State, "loaded", i.Loaded, "changed", i.Changed, "unchanged", i.Unchanged, "rejected", i.Rejected)
			}
			return err
		},
	}
}

// startImport asks for an import to be run. Where that fails, the next start of the program finds it.
func (s *server) startImport(id int64) {
	if err := s.jobs.Enqueue(context.Background(), importWork, strconv.FormatInt(id, 10)); err != nil {
		slog.Error("import: it waits for the next start", "import", id, "error", err)
	}
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
		s.startImport(i.ID)
	}
	if err := s.jobs.Start(ctx); err != nil {
		return err
	}
	go s.schedule(ctx)
	return nil
}

// schedule follows the catalog's revisions.
func (s *server) schedule(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for done := int64(-1); ; {
		if now := s.catalog.Snapshot(); now.Revision != done {
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
