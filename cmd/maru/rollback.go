package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// rollbackCommand makes the catalog what it was, as a new revision.
func rollbackCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "rollback REV",
		Short: lang.T("카탈로그를 지정한 개정의 내용으로 되돌립니다", "make the catalog what it was at a revision").In(reader),
		Long: lang.T(
			"카탈로그를 개정 REV의 내용으로 되돌리는 새 개정을 만듭니다. 이력은 지워지지 않습니다. 0은 빈 카탈로그를 뜻합니다.",
			"Make a new revision in which the catalog is what it was at revision REV. No history is lost. 0 is the empty catalog.",
		).In(reader),
		Args: cobra.ExactArgs(1),
	}
	connect := serverFlag(c, reader)
	g := goingFlags(c, reader)
	loss := lossFlag(c, reader)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || n < 0 {
			return problem.New("revision.number", 400, lang.F("개정 번호가 아닙니다: %q", "%q is no revision", args[0])).
				Hinting(lang.T("maru history로 개정을 확인하세요", "maru history lists the revisions"))
		}
		server, err := connect()
		if err != nil {
			return err
		}
		if *g.message == "" {
			*g.message = lang.F("되돌림: 개정 %v", "back to revision %v", n).In(reader)
		}
		return g.apply(c, reader, server, nil, planRequest{Rollback: &n, AllowLoss: *loss})
	}
	return c
}
