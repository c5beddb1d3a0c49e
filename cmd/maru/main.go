// Command maru is the whole platform in one program: server, command line, demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command line and returns the exit status: 0, or 1 where something is wrong; plan also says 2.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	reader := lang.FromEnv()
	root := root(reader)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(lang.With(ctx, reader))
	if err == nil {
		return 0
	}
	var status exit
	if errors.As(err, &status) {
		return int(status)
	}
	say(errs, reader, understood(err))
	return 1
}

// exit is the exit status of a command that has said all there is to say.
type exit int

// Error names the status, for tests.
func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// say writes an error as a person reads it: what is wrong, then what to do.
func say(w io.Writer, reader lang.Tag, err error) {
	var p *problem.Problem
	if !errors.As(err, &p) {
		fmt.Fprintln(w, "maru:", err)
		return
	}
	fmt.Fprintln(w, "maru:", p.In(reader))
	if !p.Hint.Empty() {
		fmt.Fprintln(w, "  →", p.Hint.In(reader))
	}
}

func root(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:           "maru",
		Short:         lang.T("도시의 디지털 행정 플랫폼", "A city's digital administrative platform").In(reader),
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.AddCommand(
		demoCommand(reader), serveCommand(reader), planCommand(reader), applyCommand(reader), historyCommand(reader), rollbackCommand(reader), getCommand(reader),
		initCommand(reader), inferCommand(reader), importCommand(reader), benchCommand(reader),
		schemaCommand(reader), loginCommand(reader), tokenCommand(reader), verifyCommand(reader),
	)
	speak(c, reader)
	return c
}
