package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// maxResidents is how many people the demo makes at most.
const maxResidents = 10_000_000

// demoCommand is the server with the demo city in it.
func demoCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: lang.T("가상의 도시로 마루를 실행합니다", "run Maru with a made-up city in it").In(reader),
		Long: lang.T(
			"가상의 도시로 마루를 실행합니다. 따로 설정하지 않아도 됩니다. 사람은 모두 시드 값에서 규칙에 따라 만든 가상 인물이며, 시드 값이 같으면 같은 사람들이 만들어집니다. 처음부터 다시 하려면 자료 폴더를 지우세요.",
			"Run Maru with a made-up city in it. There is nothing to configure. All people are made up by rule from a seed; the same seed makes the same people. Delete the data folder to start over.",
		).In(reader),
		Args: cobra.NoArgs,
	}
	residents := c.Flags().Int("residents", 100_000, lang.T("만들 가상 주민 수", "how many people to make up").In(reader))
	seed := c.Flags().Uint64("seed", 1, lang.T("가상 자료를 만드는 시드 값", "the seed they are made from").In(reader))
	settings := configFlags(c, reader, "maru-demo")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *residents < 1000 || *residents > maxResidents {
			return problem.New("demo.residents", 400, lang.F("--residents에는 1,000부터 %d까지의 수를 쓰세요", "--residents is 1,000 to %d", maxResidents))
		}
		cfg, err := settings()
		if err != nil {
			return err
		}
		cfg.Demo, cfg.City.Ko, cfg.City.En = true, "마루시(시연용)", "Maru City (demo)"
		slog.SetDefault(slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
		l, err := httpd.Listen(c.Context(), cfg.Listen, false)
		if err != nil {
			return err
		}
		defer l.Close()
		cfg.seed, cfg.residents = *seed, *residents
		s, err := open(c.Context(), cfg, l.Addr().String())
		if err != nil {
			return err
		}
		defer s.Close()
		err = s.settle(c.Context(), cfg, func(text lang.Text) { fmt.Fprintln(c.ErrOrStderr(), text.In(reader)) })
		if err != nil {
			return err
		}
		s.welcome(c.OutOrStdout(), reader)
		return s.serve(c.Context(), l)
	}
	return c
}

// settled says which people live in a data folder.
type settled struct {
	Seed      uint64    `json:"seed"`
	Residents int       `json:"residents"`
	AsOf      time.Time `json:"as_of"`
	Done      bool      `json:"done"` // all of them are in
}

// demoNote is where a demo says which people are its.
func demoNote(c config) string { return filepath.Join(c.Data, "demo.json") }

// demoPeople says which people a demo's data folder has, or is to have. A folder of a Maru that is no demo is refused.
func demoPeople(c config, s *catalog.Snapshot) (now settled, err error) {
	text, err := os.ReadFile(demoNote(c))
	if err == nil {
		err = json.Unmarshal(text, &now)
	}
	if err != nil && !os.IsNotExist(err) {
		return now, fmt.Errorf("read %s: %w", demoNote(c), err)
	}
	if now.Residents > 0 {
		return now, nil
	}
	if s.Revision > 0 {
		return now, problem.New("demo.folder", 409, lang.T("자료 폴더에 시연용이 아닌 마루의 자료가 있습니다", "the data folder holds a Maru that isn't the demo")).
			Hinting(lang.T("--data로 다른 폴더를 지정하세요", "give another folder with --data"))
	}
	return settled{Seed: c.seed, Residents: c.residents, AsOf: clock.Real{}.Now().In(clock.Seoul)}, nil
}

// settle brings the demo city in, if it isn't there yet. What a start that was cut off left half done, the next one completes.
func (s *server) settle(ctx context.Context, c config, say func(lang.Text)) error {
	if s.demo.Seed != c.seed || s.demo.Residents != c.residents {
		say(lang.F("자료 폴더에 이미 가상 주민 %[1]d명(시드 %[2]v)이 있어 그대로 씁니다", "the data folder has %[1]d people (seed %[2]v) already; they stay", s.demo.Residents, s.demo.Seed))
	}
	if s.demo.Done {
		return nil
	}
	if err := writeNote(demoNote(c), s.demo); err != nil {
		return err
	}
	if err := s.applyCity(ctx); err != nil {
		return err
	}
	if err := s.agree(ctx); err != nil {
		return err
	}
	say(lang.F("가상 주민 %d명을 만듭니다…", "making up %d people…", s.demo.Residents))
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // what is made lives for a batch: collect it less often
	var failed error
	people := city.People(s.demo.Seed, s.demo.Residents, s.demo.AsOf).Identified(func(project, kind string, number int64) string {
		id, err := s.exchange.Pseudonym(project, kind, number)
		failed = errors.Join(failed, err)
		return id
	})
	for _, data := range people.Datasets() {
		project, name, _ := strings.Cut(data.Dataset, "/")
		if _, err := s.registry.Load(ctx, registry.By{Actor: "demo", Via: "demo"}, s.catalog.Snapshot().Dataset(project, name), fmt.Sprintf("seed %d", s.demo.Seed), data.Columns, data.Rows); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
	}
	if err := s.jobs.Enqueue(ctx, demoWork, "cases"); err != nil {
		return err
	}
	s.demo.Done = true
	return writeNote(demoNote(c), s.demo)
}

// unapproved is the agreement that stays to be approved in the demo, by whoever plays it.
const unapproved = "youth-housing/household-income"

// agree approves the agreements of the demo's projects, as the stewards of the data and the privacy officer would; all but one.
func (s *server) agree(ctx context.Context) error {
	now := s.catalog.Snapshot()
	for _, r := range now.List("Agreement") {
		if r.Project+"/"+r.Name == unapproved {
			continue
		}
		to := r.Spec.(*manifest.Agreement).Provider(r.Project)
		owners := now.Place(to.Project).Owners
		if len(owners) == 0 {
			return fmt.Errorf("nobody owns %s", to.Project)
		}
		steward := &identity.Principal{Kind: identity.Official, Account: "demo-steward", Name: "시연용 데이터 관리자", Agency: owners[0], Roles: []identity.Role{identity.Steward}}
		for _, who := range []*identity.Principal{steward, s.embedded.Principal("privacy-officer")} {
			at, _, err := s.exchange.Agreement(ctx, r.Project, r.Name)
			if err != nil {
				return err
			}
			if at.Holds != nil || at.Waits == nil || !s.exchange.Mine(who, at.Waits) {
				continue // a start that was cut off had done it, or the half of it; or it isn't theirs to approve
			}
			if _, err := s.exchange.Act(ctx, who, r.Project, r.Name, "approve", "시연용 승인 (approved for the demo)", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyCity applies the manifests of the demo city.
func (s *server) applyCity(ctx context.Context) error {
	p, err := s.catalog.Plan(ctx, catalog.Request{Files: city.Manifests(), Who: identity.Itself("demo")})
	if err != nil {
		return err
	}
	if manifest.HasErrors(p.Findings) {
		return fmt.Errorf("the demo city's manifests: %+v", p.Findings[0])
	}
	if len(p.Changes) == 0 {
		return nil
	}
	_, err = s.catalog.Apply(ctx, p.ID, identity.Itself("demo"), "시연용 도시 (demo city)")
	return err
}

func writeNote(path string, now settled) error {
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(path+".new", path)
}

// welcome says where to look.
func (s *server) welcome(w io.Writer, reader lang.Tag) {
	where := ""
	if s.base != standardServer {
		where = " --server " + s.base
	}
	fmt.Fprintln(w, lang.F(`
마루 시연용 도시가 준비되었습니다. 끝내려면 Ctrl-C를 누르세요.

  포털   %[1]s/
  콘솔   %[1]s/console
  API    %[1]s/api/v1/openapi.json

로그인 화면에서 시민(haneul, minjun, sunja)이나 공무원(admin, register-steward, privacy-officer 등)을 골라 로그인합니다. 비밀번호는 없습니다.
주민 %[2]d명과 모든 자료는 시연용 가상 자료(시드 %[3]v)이며, 실제 사람이나 시설과 관계없습니다.
다른 창에서 실행해 보세요:
  export MARU_TOKEN=$(bin/maru token --as admin%[4]s)
  bin/maru get dataset%[4]s`, `
The Maru demo is ready. Ctrl-C ends it.

  Portal   %[1]s/
  Console  %[1]s/console
  API      %[1]s/api/v1/openapi.json

Sign in as a citizen (haneul, minjun, sunja) or an official (admin, register-steward, privacy-officer and more); there are no passwords.
The %[2]d people and all data are made up from the seed %[3]v. None of them is real.
Try in another window:
  export MARU_TOKEN=$(bin/maru token --as admin%[4]s)
  bin/maru get dataset%[4]s`, s.base, s.demo.Residents, s.demo.Seed, where).In(reader))
}
