package main

import (
	"context"
	"encoding/json"
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
			return problem.New("demo.residents", 400, lang.F("--residents에는 1,000–%d 범위의 수를 쓰세요", "--residents is 1,000 to %d", maxResidents))
		}
		cfg, err := settings()
		if err != nil {
			return err
		}
		cfg.Demo, cfg.City.Ko, cfg.City.En = true, "마루시(시연용)", "Maru City (demo)"
		slog.SetDefault(slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
		l, err := httpd.Listen(c.Context(), cfg.Listen)
		if err != nil {
			return err
		}
		defer l.Close()
		s, err := open(c.Context(), cfg)
		if err != nil {
			return err
		}
		defer s.Close()
		known, err := s.settle(c.Context(), filepath.Join(cfg.Data, "demo.json"), settled{Seed: *seed, Residents: *residents}, func(text lang.Text) {
			fmt.Fprintln(c.ErrOrStderr(), text.In(reader))
		})
		if err != nil {
			return err
		}
		welcome(c.OutOrStdout(), reader, l.Addr().String(), known)
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

// settle brings the demo city in, if it isn't there yet. What a start that was cut off left half done, the next one completes.
func (s *server) settle(ctx context.Context, note string, want settled, say func(lang.Text)) (settled, error) {
	now := settled{}
	text, err := os.ReadFile(note)
	if err == nil {
		err = json.Unmarshal(text, &now)
	}
	if err != nil && !os.IsNotExist(err) {
		return now, fmt.Errorf("read %s: %w", note, err)
	}
	if now.Residents == 0 {
		want.AsOf = clock.Real{}.Now().In(clock.Seoul)
		if now = want; s.catalog.Snapshot().Revision > 0 {
			return now, problem.New("demo.folder", 409, lang.T("자료 폴더에 시연용이 아닌 마루의 자료가 있습니다", "the data folder holds a Maru that isn't the demo")).
				Hinting(lang.T("--data로 다른 폴더를 지정하세요", "give another folder with --data"))
		}
	} else if now.Seed != want.Seed || now.Residents != want.Residents {
		say(lang.F("자료 폴더에 이미 가상 주민 %[1]d명(시드 %[2]v)이 있어 그대로 씁니다", "the data folder has %[1]d people (seed %[2]v) already; they stay", now.Residents, now.Seed))
	}
	if now.Done {
		return now, nil
	}
	if err := writeNote(note, now); err != nil {
		return now, err
	}
	if err := s.applyCity(ctx); err != nil {
		return now, err
	}
	say(lang.F("가상 주민 %d명을 만듭니다…", "making up %d people…", now.Residents))
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // what is made lives for a batch: collect it less often
	for _, data := range city.People(now.Seed, now.Residents, now.AsOf).Datasets() {
		project, name, _ := strings.Cut(data.Dataset, "/")
		if _, err := s.registry.Load(ctx, registry.By{Actor: "demo", Via: "demo"}, s.catalog.Snapshot().Dataset(project, name), fmt.Sprintf("seed %d", now.Seed), data.Columns, data.Rows); err != nil {
			return now, err
		}
	}
	now.Done = true
	return now, writeNote(note, now)
}

// applyCity applies the manifests of the demo city.
func (s *server) applyCity(ctx context.Context) error {
	p, err := s.catalog.Plan(ctx, catalog.Request{Files: city.Manifests(), Author: "demo"})
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
func welcome(w io.Writer, reader lang.Tag, address string, now settled) {
	where := ""
	if "http://"+address != standardServer {
		where = " --server http://" + address
	}
	fmt.Fprintln(w, lang.F(`
마루 시연용 도시가 준비되었습니다. 끝내려면 Ctrl-C를 누르세요.

  포털   http://%[1]s/
  콘솔   http://%[1]s/console
  API    http://%[1]s/api/v1/openapi.json

주민 %[2]d명과 모든 자료는 시연용 가상 자료(시드 %[3]v)이며, 실제 사람이나 시설과 관계없습니다.
다른 창에서 실행해 보세요:  bin/maru get dataset%[4]s`, `
The Maru demo is ready. Ctrl-C ends it.

  Portal   http://%[1]s/
  Console  http://%[1]s/console
  API      http://%[1]s/api/v1/openapi.json

The %[2]d people and all data are made up from the seed %[3]v. None of them is real.
Try in another window:  bin/maru get dataset%[4]s`, address, now.Residents, now.Seed, where).In(reader))
}
