package main

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// schemaCommand prints the JSON Schema of a kind, so that editors complete and check manifests.
func schemaCommand(reader lang.Tag) *cobra.Command {
	var names []string
	for _, k := range manifest.Kinds {
		names = append(names, k.Name)
	}
	return &cobra.Command{
		Use:       "schema KIND",
		Short:     lang.T("선언문 종류별 JSON Schema를 출력합니다", "print the JSON Schema of a kind of manifest").In(reader),
		Long:      lang.F("매니페스트(선언문)의 종류: %s", "Kinds: %s", strings.Join(names, ", ")).In(reader),
		ValidArgs: names,
		Args:      cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			kind, err := kindNamed(args[0], names)
			if err != nil {
				return err
			}
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(kind.Schema(reader))
		},
	}
}

// kindNamed finds a kind whatever the case it is written in.
func kindNamed(written string, names []string) (manifest.Kind, error) {
	for _, k := range manifest.Kinds {
		if strings.EqualFold(k.Name, written) {
			return k, nil
		}
	}
	hint := lang.F("쓸 수 있는 종류: %s", "kinds: %s", strings.Join(names, ", "))
	if near := manifest.Nearest(written, names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return manifest.Kind{}, problem.New("manifest.kind", 404, lang.F("알 수 없는 종류입니다: %q", "unknown kind %q", written)).Hinting(hint)
}
