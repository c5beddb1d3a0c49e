package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// applyCommand makes a folder, or a saved plan, the next revision.
func applyCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "apply DIR|FILE…|PLAN",
		Short: lang.T("계획을 보여 주고 카탈로그에 적용합니다", "show the plan and apply it to the catalog").In(reader),
		Long: lang.T(
			"폴더의 매니페스트(선언문)나 저장한 계획(maru plan -o)을 개정 하나로 적용합니다. 계획을 만든 뒤 카탈로그가 바뀌었으면 적용하지 않습니다.",
			"Apply a folder, or a saved plan (maru plan -o), as one revision. It is refused if the catalog has moved on since the plan.",
		).In(reader),
		Args: cobra.MinimumNArgs(1),
	}
	connect := serverFlag(c, reader)
	g := goingFlags(c, reader)
	loss := lossFlag(c, reader)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := connect()
		if err != nil {
			return err
		}
		q := planRequest{AllowLoss: *loss}
		var f *folder
		if len(args) == 1 && isSavedPlan(args[0]) {
			saved, err := readPlan(args[0])
			if err != nil {
				return err
			}
			if *loss && !saved.AllowLoss {
				return problem.New("plan.loss", 400, lang.T("저장한 계획에는 --allow-data-loss를 붙일 수 없습니다", "--allow-data-loss can't be added to a saved plan")).
					Hinting(lang.T("maru plan에 --allow-data-loss를 붙여 계획을 다시 저장하세요", "make it again with maru plan --allow-data-loss"))
			}
			q = planRequest{Files: saved.Files, Base: &saved.Base, AllowLoss: saved.AllowLoss}
		} else {
			if f, err = readFolder(args); err != nil {
				return err
			}
			q.Files = f.files
		}
		return g.apply(c, reader, server, f, q)
	}
	return c
}

// isSavedPlan reports whether an argument is a file that is no manifest.
func isSavedPlan(arg string) bool {
	info, err := os.Stat(arg)
	return err == nil && !info.IsDir() && !manifest.IsManifest(arg)
}

// going is how a plan is applied: with or without asking, and with which words.
type going struct {
	yes     *bool
	message *string
}

func goingFlags(c *cobra.Command, reader lang.Tag) going {
	return going{
		yes:     c.Flags().BoolP("yes", "y", false, lang.T("묻지 않고 진행합니다", "don't ask").In(reader)),
		message: c.Flags().StringP("message", "m", "", lang.T("바꾸는 사유 (이력에 남습니다)", "why, for the history").In(reader)),
	}
}

// apply makes a plan, shows it, asks, and applies it.
func (g going) apply(c *cobra.Command, reader lang.Tag, server *client, f *folder, q planRequest) error {
	p, err := server.plan(c.Context(), f, q)
	if err != nil {
		return err
	}
	show(c.OutOrStdout(), reader, p)
	if manifest.HasErrors(p.Findings) {
		return exit(1)
	}
	if len(p.Changes) == 0 {
		return nil
	}
	if !*g.yes {
		sure, err := confirm(c, reader, lang.T("적용할까요?", "Apply it?"))
		if err != nil {
			return err
		}
		if !sure {
			fmt.Fprintln(c.OutOrStdout(), lang.T("적용하지 않았습니다", "nothing was applied").In(reader))
			return exit(1)
		}
	}
	var done struct {
		Revision int64 `json:"revision"`
	}
	if err := server.call(c.Context(), "POST", "/plans/"+p.ID+"/apply", map[string]string{"message": *g.message}, &done); err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), lang.F("적용했습니다: 개정 %v", "applied as revision %v", done.Revision).In(reader))
	return nil
}
