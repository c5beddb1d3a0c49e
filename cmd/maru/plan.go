package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// planRequest is what POST /plans takes.
type planRequest struct {
	Files     map[string]string `json:"files,omitempty"`
	Rollback  *int64            `json:"rollback,omitempty"`
	Base      *int64            `json:"base,omitempty"`
	AllowLoss bool              `json:"allow_loss,omitempty"`
}

// planCommand says what a folder would change.
func planCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan DIR|FILE…",
		Short: lang.T("무엇이 바뀌는지, 무엇이 잘못되었는지 보여 줍니다", "show what would change, and what is wrong").In(reader),
		Long: lang.T(
			"폴더의 매니페스트(선언문)를 카탈로그와 비교해 무엇이 바뀌는지 보여 줍니다. 아무것도 바꾸지 않습니다.\n종료 코드: 바뀌는 내용이 없으면 0, 있으면 2, 오류가 있으면 1.",
			"Compare a folder of manifests with the catalog and show what would change. Nothing is changed.\nExit status: 0 nothing to change, 2 changes, 1 an error.",
		).In(reader),
		Args: cobra.MinimumNArgs(1),
	}
	connect := serverFlag(c, reader)
	asJSON := c.Flags().Bool("json", false, lang.T("JSON으로 출력합니다", "print JSON").In(reader))
	save := c.Flags().StringP("output", "o", "", lang.T("계획을 파일로 저장합니다 (maru apply로 적용)", "keep the plan in a file, for maru apply").In(reader))
	loss := lossFlag(c, reader)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := connect()
		if err != nil {
			return err
		}
		f, err := readFolder(args)
		if err != nil {
			return err
		}
		p, err := server.plan(c.Context(), f, planRequest{Files: f.files, AllowLoss: *loss})
		if err != nil {
			return err
		}
		if *asJSON {
			err = printJSON(c.OutOrStdout(), p)
		} else {
			show(c.OutOrStdout(), reader, p)
		}
		switch {
		case err != nil:
			return err
		case manifest.HasErrors(p.Findings):
			return exit(1)
		case len(p.Changes) == 0:
			return nil
		}
		if *save != "" {
			if err := savePlan(*save, savedPlan{Maru: savedForm, Base: p.Base, AllowLoss: *loss, Files: f.files}); err != nil {
				return err
			}
			if !*asJSON {
				fmt.Fprintln(c.OutOrStdout(), lang.F("계획을 저장했습니다: %[1]s\n적용하려면: maru apply %[1]s", "The plan is kept in %[1]s. To apply it: maru apply %[1]s", *save).In(reader))
			}
		}
		return exit(2)
	}
	return c
}

func lossFlag(c *cobra.Command, reader lang.Tag) *bool {
	return c.Flags().Bool("allow-data-loss", false, lang.T("행과 항목의 삭제를 허용합니다 (삭제하기 전에 파일로 보관합니다)", "rows and fields may be dropped, after they are written to a file").In(reader))
}

// plan asks for a plan. f, if not nil, is the folder that findings are about.
func (c *client) plan(ctx context.Context, f *folder, q planRequest) (*catalog.Plan, error) {
	var p catalog.Plan
	if err := c.call(ctx, "POST", "/plans", q, &p); err != nil {
		return nil, err
	}
	if f != nil {
		p.Findings = f.shown(p.Findings)
	}
	return &p, nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// savedPlan is a plan in a file: the documents themselves and the revision that they are for, so that it means the same wherever and whenever it is
// applied.
type savedPlan struct {
	Maru      string            `json:"maru"`
	Base      int64             `json:"base"`
	AllowLoss bool              `json:"allow_loss,omitempty"`
	Files     map[string]string `json:"files"`
}

// savedForm is what a saved plan says it is.
const savedForm = "plan/1"

func savePlan(name string, p savedPlan) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		return problem.New("plan.write", 500, lang.F("파일을 저장할 수 없습니다: %s (%s)", "%s can't be written: %s", name, reason(err)))
	}
	return nil
}

// maxSaved is how large a saved plan may be, in bytes: its files with what JSON adds to them.
const maxSaved = 2*catalog.MaxPlanBody + 1<<20

func readPlan(name string) (*savedPlan, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, problem.New("folder.missing", 404, lang.F("열 수 없습니다: %s (%s)", "%s can't be opened: %s", name, reason(err)))
	}
	defer f.Close()
	var p savedPlan
	decoder := json.NewDecoder(io.LimitReader(f, maxSaved))
	if err := decoder.Decode(&p); err != nil || p.Maru != savedForm || len(p.Files) == 0 {
		return nil, problem.New("plan.file", 422, lang.F("저장한 계획이 아닙니다: %s", "%s isn't a saved plan", name)).
			Hinting(lang.T("maru plan DIR -o plan.maru로 만든 파일이나 폴더를 지정하세요", "give a file made with maru plan DIR -o plan.maru, or a folder"))
	}
	return &p, nil
}
