package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
)

// serveCommand is the server.
func serveCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: lang.T("마루 서버를 실행합니다", "run the Maru server").In(reader),
		Long: lang.T(
			"마루 서버를 실행합니다. 설정은 옵션, 환경변수, --config의 YAML 파일 순으로 우선합니다. 끝내려면 Ctrl-C를 누르거나 SIGTERM을 보내세요.",
			"Run the Maru server. A setting is taken from the flags, else the environment, else the YAML file of --config. Ctrl-C or SIGTERM ends it.",
		).In(reader),
		Args: cobra.NoArgs,
	}
	settings := configFlags(c, reader, "maru-data")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := settings()
		if err != nil {
			return err
		}
		slog.SetDefault(slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil)))
		l, err := httpd.Listen(c.Context(), cfg.Listen, cfg.anywhere()) // first: it costs nothing and is what goes wrong most
		if err != nil {
			return err
		}
		defer l.Close()
		s, err := open(c.Context(), cfg, l.Addr().String())
		if err != nil {
			return err
		}
		if l, err = overTLS(cfg, l); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), lang.F("마루가 준비되었습니다: %s", "Maru is ready at %s", s.base).In(reader))
		err = s.serve(c.Context(), l)
		if closed := s.Close(); err == nil {
			err = closed
		}
		return err
	}
	return c
}
