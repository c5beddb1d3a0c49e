package main

import (
	"context"
	"errors"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// usageKo is cobra's page on how a command is used, in Korean. It leaves out what maru's commands don't have: aliases, examples, groups.
const usageKo = `사용법:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [명령]

명령:{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

옵션:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

명령마다 자세한 설명은 "{{.CommandPath}} [명령] --help"로 보세요.{{end}}
`

// speak makes what cobra itself says the reader's, for a command and those below it.
func speak(c *cobra.Command, reader lang.Tag) {
	if reader == lang.Ko {
		c.SetUsageTemplate(usageKo)
	}
	c.CompletionOptions.HiddenDefaultCmd = true
	c.InitDefaultHelpCmd()
	for _, one := range append(c.Commands(), c) {
		one.InitDefaultHelpFlag()
		one.Flags().Lookup("help").Usage = lang.T("이 설명", "this page").In(reader)
		if one.Name() == "help" {
			one.Short = lang.T("명령의 설명을 보여 줍니다", "say how a command is used").In(reader)
		}
	}
	c.InitDefaultVersionFlag()
	c.Flags().Lookup("version").Usage = lang.T("버전", "the version").In(reader)
}

// sentences are what cobra says of a command line that it can't use.
var sentences = []struct {
	pattern *regexp.Regexp
	text    func(found []string) lang.Text
}{
	{regexp.MustCompile(`^unknown command "(.*)" for "maru"`), func(f []string) lang.Text {
		return lang.F("없는 명령입니다: %s", "there is no command %s", f[1])
	}},
	{regexp.MustCompile(`^unknown (?:shorthand )?flag: (.*)`), func(f []string) lang.Text {
		return lang.F("없는 옵션입니다: %s", "there is no flag %s", f[1])
	}},
	{regexp.MustCompile(`^flag needs an argument: (.*)`), func(f []string) lang.Text {
		return lang.F("옵션에 값이 필요합니다: %s", "the flag needs a value: %s", f[1])
	}},
	{regexp.MustCompile(`^invalid argument "(.*)" for "(.*)" flag`), func(f []string) lang.Text {
		return lang.F("옵션의 값으로 쓸 수 없습니다: %[2]s %[1]s", "it can't be the value of the flag: %[2]s %[1]s", f[1], f[2])
	}},
	{regexp.MustCompile(`^accepts (?:between )?(.*) arg\(s\), received (\d+)`), func(f []string) lang.Text {
		return lang.F("명령 뒤에 올 것의 수가 다릅니다 (필요: %s, 받음: %s)", "another number of things must follow the command (needed: %s, given: %s)", f[1], f[2])
	}},
	{regexp.MustCompile(`^requires at least (\d+) arg\(s\), only received (\d+)`), func(f []string) lang.Text {
		return lang.F("명령 뒤에 올 것이 모자랍니다 (필요: %s개 이상, 받음: %s)", "too little follows the command (needed: at least %s, given: %s)", f[1], f[2])
	}},
}

// understood makes what can happen to any command a problem: a command line that can't be used, and being interrupted.
func understood(err error) error {
	if problem.As(err) != nil {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return problem.New("command.interrupted", 499, lang.T("중단했습니다", "interrupted"))
	}
	for _, s := range sentences {
		if found := s.pattern.FindStringSubmatch(err.Error()); found != nil {
			return problem.New("command.usage", 400, s.text(found)).Hinting(lang.T("명령 뒤에 --help를 붙이면 쓰는 법을 볼 수 있습니다", "add --help to see how the command is used"))
		}
	}
	return err
}
