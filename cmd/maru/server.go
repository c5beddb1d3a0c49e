package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/jobs"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/source"
	"github.com/maru-city/maru/web"
)

// server is the whole platform, put together.
type server struct {
	db       *db.DB
	files    *blob.Folder
	registry *registry.Registry
	catalog  *catalog.Catalog
	http     *httpd.Server
	jobs     *jobs.Queue
	sources  *source.Reader
	bus      *bus.Bus
	node     string
	keys     *keys.Ring
	log      *ledger.Log
	exchange *exchange.Exchange
	cases    *casework.Store
	gate     *identity.Gate
	embedded *provider.Provider // of the demo
	demo     settled            // the demo's people
	base     string             // where it is reached
	issuer   string             // of the provider, if there is one
	secure   bool
	closers  []io.Closer // in the order of opening
}

// open puts the platform together in a data folder that no other process has open. Close it.
func open(ctx context.Context, c config, address string) (*server, error) {
	s := &server{}
	if err := s.open(ctx, c, address); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *server) open(ctx context.Context, c config, address string) error {
	now := clock.Real{}.Now
	lock, err := lockFolder(c.Data)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, lock)
	if s.db, err = db.Open(ctx, c.Database); err != nil {
		return problem.New("database.open", 500, lang.F("데이터베이스를 열 수 없습니다: %s", "the database can't be opened: %s", err.Error())).
			Hinting(lang.T("--database나 MARU_DATABASE의 주소를 확인하세요", "check the address in --database or MARU_DATABASE"))
	}
	s.closers = append(s.closers, s.db)
	if s.files, err = blob.OpenFolder(filepath.Join(c.Data, "files")); err != nil {
		return err
	}
	s.closers = append(s.closers, s.files)
	if s.keys, err = keys.Open(c.Keys, c.Log, nil); err != nil {
		return err
	}
	if s.registry, err = registry.Open(ctx, s.db, s.files, s.keys, now); err != nil {
		return err
	}
	if s.log, err = ledger.Open(ctx, s.db, s.keys.Signer(), s.keys.Verifier(), now); err != nil {
		return err
	}
	s.closers = append(s.closers, s.log)
	if err := s.log.Trust(c.Witness); err != nil {
		return err
	}
	s.exchange, err = exchange.Open(ctx, exchange.Options{
		DB: s.db, Registry: s.registry, Log: s.log, Keys: s.keys, Now: now, Catalog: func() *catalog.Snapshot { return s.catalog.Snapshot() },
		Refresh: func(ctx context.Context) error { return s.catalog.Refresh(ctx) },
		Hooks: exchange.Hooks{
			Post: func(ctx context.Context, address string, h http.Header, body []byte) error {
				return s.sources.Net.Post(ctx, address, h, body)
			},
			Secret: func(project, name string) (string, error) { return s.sources.Secret(project, name) },
		},
	})
	if err != nil {
		return err
	}
	if s.catalog, err = catalog.Open(ctx, s.db, now, s.registry, s.exchange, service.Follower{Sample: sync.OnceValue(func() *service.Sample { return sample(now()) })}); err != nil {
		return err
	}
	if c.Demo {
		if s.demo, err = demoPeople(c, s.catalog.Snapshot()); err != nil {
			return err
		}
	}
	if err := s.openSignIn(ctx, c, address); err != nil {
		return err
	}
	name := lang.T("마루", "Maru")
	if c.City.Ko != "" || c.City.En != "" {
		name = lang.T(c.City.Ko, c.City.En)
	}
	if err := s.openWork(ctx, c); err != nil {
		return err
	}
	if err := s.openFeeds(ctx, c); err != nil {
		return err
	}
	s.http = httpd.New(httpd.Options{Title: "Maru", Version: version, Ready: s.ready, Host: s.hostname(), Who: s.gate.Wrap, Caller: caller, Folder: c.Data})
	identity.Guard(s.http.API())
	s.catalog.Serve(s.http.API())
	s.registry.Serve(s.http.API(), s.catalog.Snapshot, s, s.exchange.Own)
	s.exchange.Serve(s.http.API(), s.bus, s.eventsAt())
	services := service.New(s.catalog.Snapshot)
	services.Serve(s.http.API(), now, s.exchange)
	if s.cases, err = casework.Open(ctx, casework.Options{DB: s.db, Keys: s.keys, Files: s.files, Catalog: s.catalog, Services: services, Reader: s.exchange, Now: now}); err != nil {
		return err
	}
	s.cases.Serve(s.http.API())
	s.http.Handle(ledger.Path+"/", s.log.Handler())
	openKeys, err := outlet.OpenKeys(ctx, s.db, now)
	if err != nil {
		return err
	}
	openKeys.Serve(s.http.API())
	openKeys.ServeRequests(s.http.API(), s.catalog.Snapshot)
	outlet.New(outlet.Options{Catalog: s.catalog.Snapshot, Dated: func(ctx context.Context, revision int64) (map[string]catalog.Dates, error) {
		return s.catalog.Dates(ctx, "Dataset", revision)
	}, Records: s.registry, Keys: openKeys, Base: s.base, City: name}).Routes(s.http.Handle)
	pages := web.New(web.Options{
		Demo: c.Demo, City: name, Version: version, Catalog: s.catalog, Records: s.registry, Work: s, Exchange: s.exchange, Requests: openKeys, Services: services, Cases: s.cases, Gate: s.gate, Embedded: s.embedded, Secure: s.secure, Now: now,
	})
	s.http.Handle("/", pages)
	s.serveSignIn(pages)
	return nil
}

// ready reports whether requests can be answered: the database does, the catalog is as new as it, and receipts can be stored.
func (s *server) ready(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return err
	}
	return errors.Join(s.catalog.Refresh(ctx), s.log.Ready(ctx))
}

// hostname is the name by which the server is reached, where it isn't this machine's own.
func (s *server) hostname() string {
	u, err := url.Parse(s.base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// serve answers on l, does the work that waits and follows what other nodes do, until ctx ends.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	background, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); s.catalog.Watch(background) }()
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		_ = s.exchange.Deliver(background, s.bus, s.node) // it ends with the context
	}()
	err := s.begin(background)
	if err == nil {
		err = s.http.Serve(ctx, l)
	}
	stop()
	<-ended
	<-delivered
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, s.jobs.Stop(ending))
}

// Close closes what was opened, the newest first.
func (s *server) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i].Close())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// lockFolder makes the data folder and takes it for this process. The lock is the system's: it goes with the process, however that ends.
func lockFolder(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.New("data.folder", 500, lang.F("자료 폴더를 만들 수 없습니다: %s (%s)", "the data folder %s can't be made: %s", dir, reason(err))).
			Hinting(lang.T("--data나 MARU_DATA로 쓰기 권한이 있는 폴더를 지정하세요", "give a folder that can be written with --data or MARU_DATA"))
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problem.New("data.folder", 500, lang.F("자료 폴더에 쓸 수 없습니다: %s (%s)", "the data folder %s can't be written: %s", dir, reason(err))).
			Hinting(lang.T("--data나 MARU_DATA로 쓰기 권한이 있는 폴더를 지정하세요", "give a folder that can be written with --data or MARU_DATA"))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.ReadAt(holder, 0) // who it is only helps; the lock is what counts
		f.Close()
		return nil, problem.New("data.locked", 409, lang.F("다른 maru가 쓰고 있는 자료 폴더입니다: %s (프로세스 %s)", "the data folder %s is in use by another maru (process %s)", dir, strings.TrimSpace(string(holder[:n])))).
			Hinting(lang.T("그 프로세스를 끝내거나 --data로 다른 폴더를 지정하세요", "end that process, or use another folder with --data"))
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("write the lock of %s: %w", dir, err)
		}
	}
	return folderLock{f}, nil
}

// folderLock gives the lock back when it is closed: a process that is just being started may hold a copy of the file for a moment.
type folderLock struct{ *os.File }

func (l folderLock) Close() error {
	return errors.Join(syscall.Flock(int(l.Fd()), syscall.LOCK_UN), l.File.Close())
}

// caller tells apart who asks, "" for nobody who is known.
func caller(ctx context.Context) string {
	who := identity.From(ctx)
	if !who.SignedIn() {
		return ""
	}
	return fmt.Sprint(who.Kind, " ", who.Actor(), " ", who.Person)
}
