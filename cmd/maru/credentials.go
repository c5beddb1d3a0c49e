package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity/provider"
)

// saved is what the command line remembers of a server, for the person at this machine alone.
type saved struct {
	Token      string    `json:"token,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	Checkpoint string    `json:"checkpoint,omitempty"` // of its log, as it was last verified
	Key        string    `json:"key,omitempty"`        // of its log: another one later is a reason to ask
}

func savedFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of settings: %w", err)
	}
	return filepath.Join(dir, "maru", "servers.json"), nil
}

func readSaved() (map[string]saved, error) {
	path, err := savedFile()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]saved{}, nil
	}
	out := map[string]saved{}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}

// remember changes what is remembered of a server.
func remember(server string, change func(*saved)) error {
	all, err := readSaved()
	if err != nil {
		return err
	}
	one := all[server]
	change(&one)
	all[server] = one
	path, err := savedFile()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make %s: %w", filepath.Dir(path), err)
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(path+".new", path)
}

// tokenFor is the token to show a server: that of MARU_TOKEN, or of the last login there; "" where there is none.
func tokenFor(server string) string {
	if token := os.Getenv("MARU_TOKEN"); token != "" {
		return token
	}
	all, err := readSaved()
	if err != nil {
		return "" // then the server says that one has to sign in
	}
	if one := all[server]; time.Now().Before(one.Expires) {
		return one.Token
	}
	return ""
}

// exposed is the problem that a token would go over the network in clear.
func exposed(u *url.URL) error {
	if u.Scheme == "https" || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback() {
		return nil
	}
	return problem.New("server.insecure", 400, lang.F("암호화되지 않는 주소로는 토큰을 보내지 않습니다: %s", "a token isn't sent to %s: it isn't encrypted", u.Redacted())).
		Hinting(lang.T("https:// 주소를 쓰세요", "use an https:// address"))
}

// loginCommand signs in at the server's provider.
func loginCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "login",
		Short: lang.T("서버에 로그인합니다", "sign in at the server").In(reader),
		Long: lang.T(
			"서버에 로그인합니다. 보이는 주소를 브라우저에서 열고 코드를 입력하면 됩니다. 토큰은 사용자 설정 폴더의 maru/servers.json에 본인만 읽을 수 있게 저장합니다.",
			"Sign in at the server: open the address in a browser and enter the code. The token is kept in maru/servers.json in your folder of settings, for you alone to read.",
		).In(reader),
		Args: cobra.NoArgs,
	}
	connect := serverFlag(c, reader)
	out := c.Flags().Bool("out", false, lang.T("로그아웃합니다: 저장한 토큰을 지웁니다", "sign out: forget the token").In(reader))
	c.RunE = func(c *cobra.Command, _ []string) error {
		client, err := connect()
		if err != nil {
			return err
		}
		if *out {
			return remember(client.server, func(s *saved) { s.Token, s.Expires = "", time.Time{} })
		}
		token, err := client.login(c.Context(), func(where, code string) {
			fmt.Fprintln(c.ErrOrStderr(), lang.F("브라우저에서 %[1]s 주소를 열고 다음 코드를 입력하세요: %[2]s (기다리고 있습니다…)", "Open %[1]s in a browser and enter the code %[2]s. Waiting…", where, code).In(reader))
		})
		if err != nil {
			return err
		}
		if err := remember(client.server, func(s *saved) { s.Token, s.Expires = token.AccessToken, token.Expiry }); err != nil {
			return err
		}
		client.token = token.AccessToken
		var me struct{ Name, Account string }
		if err := client.get(c.Context(), "/me", nil, &me); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), lang.F("로그인했습니다: %[1]s (%[2]s)", "signed in: %[1]s (%[2]s)", me.Name, me.Account).In(reader))
		return nil
	}
	return c
}

// login gets a token by device code (RFC 8628). say tells where to enter which code.
func (c *client) login(ctx context.Context, say func(where, code string)) (*oauth2.Token, error) {
	var about struct {
		Servers []string `json:"authorization_servers"`
	}
	if err := c.plain(ctx, http.MethodGet, "/.well-known/oauth-protected-resource", nil, func(body io.Reader) error { return json.NewDecoder(body).Decode(&about) }); err != nil {
		return nil, err
	}
	if len(about.Servers) == 0 {
		return nil, problem.New("auth.provider", 409, lang.T("이 서버에는 로그인이 필요하지 않습니다", "this server is used without signing in"))
	}
	ctx = oidc.ClientContext(ctx, &http.Client{Timeout: 30 * time.Second})
	refused := func(err error) error {
		return problem.New("auth.provider", 502, lang.F("로그인하지 못했습니다: %s", "signing in didn't work: %s", err.Error()))
	}
	p, err := oidc.NewProvider(ctx, about.Servers[0])
	if err != nil {
		return nil, refused(err)
	}
	conf := oauth2.Config{ClientID: provider.CLIClient, Endpoint: p.Endpoint(), Scopes: []string{oidc.ScopeOpenID}}
	conf.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	device, err := conf.DeviceAuth(ctx)
	if err != nil {
		return nil, refused(err)
	}
	say(device.VerificationURI, device.UserCode)
	token, err := conf.DeviceAccessToken(ctx, device)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, refused(err)
	}
	return token, nil
}

// tokenCommand prints a token of one of the demo's people, for scripts.
func tokenCommand(reader lang.Tag) *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: lang.T("시연용 도시에서 쓸 토큰을 출력합니다", "print a token for the demo city").In(reader),
		Long: lang.T(
			"시연용 도시의 시민, 공무원, 시스템 계정의 토큰을 출력합니다. MARU_TOKEN에 넣어 쓰세요. 실제 서버에서는 maru login을 쓰세요.",
			"Print a token of a citizen, an official or a system of the demo city, to put into MARU_TOKEN. At a real server use maru login.",
		).In(reader),
		Example: "  export MARU_TOKEN=$(maru token --as admin)",
		Args:    cobra.NoArgs,
	}
	connect := serverFlag(c, reader)
	as := c.Flags().String("as", "", lang.T("누구의 토큰인지: haneul, register-steward, admin, housing-app 등", "whose: haneul, register-steward, admin, housing-app and others").In(reader))
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *as == "" {
			return problem.New("token.as", 400, lang.T("누구의 토큰인지 --as로 지정하십시오", "say with --as whose token")).
				Hinting(lang.T("예: maru token --as admin", "such as maru token --as admin"))
		}
		client, err := connect()
		if err != nil {
			return err
		}
		token, err := client.demoToken(c.Context(), *as)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), token)
		return nil
	}
	return c
}

// demoToken asks a demo for a token of one of its people.
func (c *client) demoToken(ctx context.Context, as string) (token string, err error) {
	c.token = ""
	err = c.plain(ctx, http.MethodPost, provider.Path+"/demo-token", url.Values{"as": {as}}, func(body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, 1<<16))
		token = strings.TrimSpace(string(text))
		return err
	})
	return token, err
}
