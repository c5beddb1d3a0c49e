package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// historyCommand lists the revisions.
func historyCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: lang.T("개정을 최신순으로 보여 줍니다", "list the revisions, the newest first").In(reader),
		Args:  cobra.NoArgs,
	}
	connect := serverFlag(c, reader)
	limit := c.Flags().Int("limit", 20, lang.T("보여 줄 개수 (0이면 모두)", "how many at most (0: all)").In(reader))
	asJSON := c.Flags().Bool("json", false, lang.T("JSON으로 출력합니다", "print JSON").In(reader))
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *limit < 0 {
			return problem.New("history.limit", 400, lang.T("--limit은 0보다 작을 수 없습니다", "--limit can't be less than 0"))
		}
		server, err := connect()
		if err != nil {
			return err
		}
		list, err := all[catalog.Revision](c.Context(), server, "/revisions", url.Values{}, *limit)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.OutOrStdout(), list)
		}
		if len(list) == 0 {
			fmt.Fprintln(c.OutOrStdout(), lang.T("아직 개정이 없습니다", "there is no revision yet").In(reader))
			return nil
		}
		rows := [][]string{heads(reader, lang.T("개정", "REVISION"), lang.T("일시", "AT"), lang.T("작성자", "BY"), lang.T("사유", "WHY"))}
		for _, r := range list {
			rows = append(rows, []string{fmt.Sprint(r.N), r.At.In(clock.Seoul).Format(time.DateTime), r.Author, r.Message})
		}
		table(c.OutOrStdout(), rows)
		return nil
	}
	return c
}

// heads are the heads of a table.
func heads(reader lang.Tag, texts ...lang.Text) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = t.In(reader)
	}
	return out
}
