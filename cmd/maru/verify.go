package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/ledger"
)

// maxReceipt is how large the file of a receipt may be, in bytes.
const maxReceipt = 64 << 20

// verifyCommand checks a receipt without a server, or a server's whole log.
func verifyCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [RECEIPT]",
		Short: lang.T("열람 기록을 검증합니다", "verify a receipt, or the whole log").In(reader),
		Long: lang.T(
			"내려받은 열람 기록 파일을 서버 없이 검증합니다. 파일을 주지 않으면 서버의 열람 기록 전체를 받아 처음부터 다시 계산하고, 지난번에 검증한 뒤로 바뀌거나 지워진 것이 없는지 확인합니다.",
			"Verify a receipt that was downloaded, without a server. Without a file: read a server's whole log, build it anew, and see that nothing was changed or removed since it was verified last.",
		).In(reader),
		Args: cobra.MaximumNArgs(1),
	}
	connect := serverFlag(c, reader)
	key := c.Flags().String("key", "", lang.T("시에서 공표한 공개 키 (기본: 파일에 든 키나 서버의 키)", "the public key as the city publishes it (default: the one in the file, or the server's)").In(reader))
	witnesses := c.Flags().StringArray("witness", nil, lang.T("서명했어야 하는 증인의 공개 키. 여러 번 쓸 수 있습니다", "the public key of a witness that must have signed; may be given again").In(reader))
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 1 && len(*witnesses) > 0 {
			return problem.New("verify.witness", 400, lang.T("--witness는 기록 전체를 검증할 때에만 씁니다", "--witness is for the whole log, not for one receipt")).
				Hinting(lang.T("파일 없이 maru verify --witness …를 실행하세요", "run maru verify --witness … without a file"))
		}
		if len(args) == 1 {
			return verifyReceipt(c.OutOrStdout(), reader, args[0], *key)
		}
		client, err := connect()
		if err != nil {
			return err
		}
		return verifyLog(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), client, *key, *witnesses)
	}
	return c
}

func verifyReceipt(out io.Writer, reader lang.Tag, path, key string) error {
	f, err := os.Open(path)
	if err != nil {
		return noFile(path, err)
	}
	defer f.Close()
	var p exchange.Proof
	if err := json.NewDecoder(io.LimitReader(f, maxReceipt)).Decode(&p); err != nil || p.Checkpoint == "" {
		return problem.New("ledger.receipt", 400, lang.F("열람 기록 파일이 아닙니다: %s", "%s is no receipt", path))
	}
	own := key != ""
	if !own {
		key = p.Verifier
	}
	t, err := ledger.Check(p.Proof, key)
	if err != nil {
		return problem.New("ledger.tampered", 409, lang.T("이 열람 기록은 진본이 아닙니다. 내용이나 서명이 로그와 맞지 않습니다", "this receipt isn't genuine: "+err.Error()))
	}
	var leaf struct {
		Public exchange.Public `json:"public"`
	}
	if err := json.Unmarshal(p.Entry, &leaf); err != nil {
		return fmt.Errorf("read the entry: %w", err)
	}
	r := leaf.Public
	by := lang.F("협약   %[1]s %[2]v판, 목적 %[3]s, 근거 %[4]s", "Agreement  %[1]s version %[2]v, purpose %[3]s, basis %[4]s", r.Agreement, r.Version, r.Purpose, r.Basis)
	switch r.Kind {
	case "reveal":
		by = lang.T("방법   담당자가 이유를 남기고 화면에서 열람", "How        shown on a page to an official, who gave a reason")
	case "own":
		by = lang.T("방법   자료를 맡은 기관이 소관 업무에 열람", "How        by the office that keeps the data, for its own work")
	}
	fmt.Fprintln(out, lang.F(`진본입니다: 열람 기록 %[1]v번은 로그 %[2]s(모두 %[3]d건)에 들어 있으며 바뀌지 않았습니다.
  일시   %[4]s
  %[5]s
  자료   %[6]s: %[7]s
  열람   %[8]s(%[9]s), %[10]v명에 관한 레코드 %[11]v건`, `Genuine: receipt %[1]v is in the log %[2]s of %[3]v entries and hasn't been changed.
  When       %[4]s
  %[5]s
  Data       %[6]s: %[7]s
  Read by    %[8]s (%[9]s), people: %[10]v, records: %[11]v`,
		p.N, t.Origin, t.Size, r.At.In(clock.Seoul).Format(time.RFC3339), by, r.Dataset, strings.Join(r.Fields, ", "), r.Consumer, r.Agency, r.People, r.Records).In(reader))
	if !own {
		fmt.Fprintln(out, lang.F("\n파일에 든 공개 키로 확인했습니다. 시에서 공표한 키와 같은지 비교하세요: %s", "\nChecked with the key in the file. Compare it with the one that the city publishes: %s", key).In(reader))
	}
	return nil
}

// logFile is a [ledger.Get] of the server's log.
func (c *client) logFile(ctx context.Context, path string) (body []byte, err error) {
	err = c.plain(ctx, http.MethodGet, ledger.Path+"/"+path, nil, func(r io.Reader) error {
		body, err = io.ReadAll(io.LimitReader(r, maxReceipt))
		return err
	})
	return body, err
}

func verifyLog(ctx context.Context, out, progress io.Writer, c *client, key string, witnesses []string) error {
	all, err := readSaved()
	if err != nil {
		return err
	}
	before := all[c.server]
	if key == "" {
		text, err := c.logFile(ctx, "key")
		if err != nil {
			return err
		}
		key = strings.TrimSpace(string(text))
		if before.Key != "" && before.Key != key {
			return problem.New("ledger.key", 409, lang.F("서버의 공개 키가 지난번과 다릅니다: %[1]s (지난번 %[2]s)", "the server's key is another than last time: %[1]s (it was %[2]s)", key, before.Key)).
				Hinting(lang.T("키가 바뀐 이유를 시에 확인한 뒤 --key로 새 키를 지정하세요", "ask the city why, then give the new one with --key"))
		}
	}
	var earlier []string
	if before.Checkpoint != "" && before.Key == key {
		earlier = append(earlier, before.Checkpoint)
	}
	cosigned, err := c.cosigned(ctx)
	if err != nil {
		return err
	}
	seen, err := witnessed(cosigned, key, witnesses)
	if err != nil {
		return err
	}
	if cosigned != "" {
		earlier = append(earlier, cosigned)
	}
	now, checkpoint, err := ledger.VerifyAll(ctx, c.logFile, key, earlier, func(done, of int64) {
		if done%(1<<16) == 0 {
			fmt.Fprintf(progress, "%d/%d\n", done, of)
		}
	})
	if err != nil {
		return err
	}
	audited, err := c.audit(ctx)
	if err != nil {
		return err
	}
	if err := remember(c.server, func(s *saved) { s.Checkpoint, s.Key = checkpoint, key }); err != nil {
		return err
	}
	fmt.Fprintln(out, lang.F("로그 %[1]s의 기록 %[2]d건을 모두 확인했습니다. 루트는 %[3]s입니다.", "All %[2]d entries of the log %[1]s are right. Its root is %[3]s.", now.Origin, now.Size, now.Root.String()).In(c.reader))
	if before.Checkpoint != "" && before.Key == key {
		old, err := ledger.ReadCheckpoint(before.Checkpoint, key)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, lang.F("지난번에 확인한 %d건은 그대로이며, 바뀌거나 지워진 것이 없습니다.", "The %d entries verified last time are all there, unchanged.", old.Size).In(c.reader))
	} else {
		fmt.Fprintln(out, lang.F("공개 키: %s\n시에서 공표한 키와 같은지 비교하세요. 다음 확인부터는 지금 상태와 비교합니다.", "Its key is %s: compare it with the one that the city publishes. From now on the log is compared with how it is today.", key).In(c.reader))
	}
	for _, line := range seen {
		fmt.Fprintln(out, line.In(c.reader))
	}
	if audited {
		fmt.Fprintln(out, lang.T("서버에 저장된 비공개 부분과 정보주체도 모두 공개된 해시와 맞습니다.", "The private parts and subjects that the server stores are those that the log commits to.").In(c.reader))
	}
	return nil
}

// cosigned is the newest checkpoint that witnesses have signed, "" where there is none.
func (c *client) cosigned(ctx context.Context) (string, error) {
	text, err := c.logFile(ctx, "cosigned")
	if problem.Code(err) == "ledger.tile" {
		return "", nil
	}
	return string(text), err
}

// witnessed says which of the witnesses that must have signed a checkpoint have. It is a problem where one hasn't.
func witnessed(checkpoint, key string, witnesses []string) (out []lang.Text, err error) {
	if len(witnesses) == 0 {
		return nil, nil
	}
	at := map[string]time.Time{}
	var tree ledger.Tree
	if checkpoint != "" {
		if at, err = ledger.Witnessed(checkpoint, key, witnesses); err == nil {
			tree, err = ledger.ReadCheckpoint(checkpoint, key)
		}
		if err != nil {
			return nil, problem.New("ledger.witness", 400, lang.F("증인의 서명을 확인할 수 없습니다: %s", "the witnesses' signatures can't be checked: %s", err.Error()))
		}
	}
	for _, line := range witnesses {
		name, _, _ := strings.Cut(line, "+")
		signed, ok := at[name]
		if !ok {
			return nil, problem.New("ledger.unwitnessed", 409, lang.F("증인이 서명하지 않았습니다: %s", "the witness %s hasn't signed", name)).
				Hinting(lang.T("증인에게 이 로그를 마지막으로 확인한 때를 물어보세요", "ask the witness when it last saw this log"))
		}
		out = append(out, lang.F("증인 %[1]s: %[3]s에 %[2]d건까지 서명했습니다.", "The witness %[1]s has signed its first %[2]d entries on %[3]s.", name, tree.Size, signed.In(clock.Seoul).Format(time.RFC3339)))
	}
	return out, nil
}

// audit lets the server look at what isn't public of its log, where whoever asks may. It is a problem with code ledger.tampered where that isn't right.
func (c *client) audit(ctx context.Context) (bool, error) {
	var answer struct{ Size int64 }
	err := c.call(ctx, http.MethodPost, "/log/audit", nil, &answer)
	switch problem.Code(err) {
	case "auth.needed", "auth.refused":
		return false, nil
	}
	return err == nil, err
}
