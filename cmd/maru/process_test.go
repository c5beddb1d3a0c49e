package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
)

// asMaru makes the test program be maru, for tests that need a process of its own.
const asMaru = "MARU_TEST_AS_MARU"

// process is a running `maru serve`.
type process struct {
	*exec.Cmd
	address string
}

func startProcess(t *testing.T, data string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self, "serve", "--data", data, "--listen", "127.0.0.1:0")}
	p.Env = append(os.Environ(), asMaru+"=1", "MARU_LANG=en", "MARU_CONFIG=", "MARU_DATABASE=")
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), " at ")
	if err != nil || !ok {
		t.Fatalf("it said %q: %v", line, err)
	}
	p.address = address
	return p
}

// client is a client of the process.
func (p *process) client(t *testing.T) *client {
	t.Helper()
	c, err := newClient(p.address, lang.En)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServeEndsBySignalAndLeavesNothingLocked(t *testing.T) {
	data := t.TempDir()
	for range 2 {
		p := startProcess(t, data)
		res, err := http.Get(p.address + "/readyz")
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("not ready: %v %v", res, err)
		}
		res.Body.Close()
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Fatalf("it ended with %v", err)
		}
	}
}

func TestAnApplyThatIsKilledIsWholeOrNotThere(t *testing.T) {
	const datasets = 300
	files := map[string]string{"p.yaml": "kind: Project\nname: p\ntitle: 사업\n"}
	for i := range datasets {
		files[fmt.Sprintf("d%d.yaml", i)] = fmt.Sprintf("kind: Dataset\nname: d%d\ntitle: 자료\nkey: [id]\nfields:\n  id: {type: string}\n", i)
	}
	data := t.TempDir()
	cut := 0
	for _, after := range []time.Duration{2, 5, 10, 20, 40, 80, 160} {
		p := startProcess(t, data)
		c := p.client(t)
		plan := planned(t, c, files)
		if len(plan.Changes) == 0 {
			_ = p.Process.Kill()
			_ = p.Wait()
			break
		}
		if len(plan.Changes) != datasets+1 {
			t.Fatalf("%d of %d changes are left after a kill", len(plan.Changes), datasets+1)
		}
		go func() { // it is cut off
			_ = c.call(t.Context(), "POST", "/plans/"+plan.ID+"/apply", map[string]string{}, &json.RawMessage{})
		}()
		time.Sleep(after * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait()
		cut++
	}
	p := startProcess(t, data)
	c := p.client(t)
	if plan := planned(t, c, files); len(plan.Changes) > 0 {
		if err := c.call(t.Context(), "POST", "/plans/"+plan.ID+"/apply", map[string]string{}, &json.RawMessage{}); err != nil {
			t.Fatal(err)
		}
	}
	if plan := planned(t, c, files); len(plan.Changes) != 0 || plan.Base != 1 {
		t.Errorf("after all: revision %d, %d changes", plan.Base, len(plan.Changes))
	}
	t.Logf("%d applies were killed", cut)
}

func planned(t *testing.T, c *client, files map[string]string) *catalog.Plan {
	t.Helper()
	plan, err := c.plan(t.Context(), nil, planRequest{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
