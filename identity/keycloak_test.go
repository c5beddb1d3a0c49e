package identity_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
)

// realm is a city's realm of Keycloak: Maru as a client, the housing office's system, an official and a citizen, with the claims that Maru reads.
func realm(maru string) any {
	mapper := func(claim, user string, many bool) map[string]any {
		return map[string]any{"name": claim, "protocol": "openid-connect", "protocolMapper": "oidc-usermodel-attribute-mapper", "config": map[string]string{
			"claim.name": claim, "user.attribute": user, "jsonType.label": "String", "multivalued": fmt.Sprint(many), "aggregate.attrs": "false", "id.token.claim": "true", "access.token.claim": "true",
		}}
	}
	audience := map[string]any{"name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper", "config": map[string]string{"included.custom.audience": "maru", "access.token.claim": "true", "id.token.claim": "false"}}
	mappers := []any{mapper("maru_kind", "kind", false), mapper("maru_agency", "agency", false), mapper("maru_person", "person", false), mapper("maru_project", "project", false), mapper("maru_roles", "roles", true), audience}
	person := func(name string, attributes map[string][]string) map[string]any {
		return map[string]any{
			"username": name, "enabled": true, "email": name + "@city.example", "emailVerified": true, "firstName": "하늘", "lastName": "김", "attributes": attributes,
			"credentials": []any{map[string]any{"type": "password", "value": "test-password", "temporary": false}},
		}
	}
	service := map[string]any{"username": "service-account-housing-app", "enabled": true, "serviceAccountClientId": "housing-app", "attributes": map[string][]string{"kind": {"service"}, "project": {"youth-housing"}}}
	return map[string]any{
		"realm": "city", "enabled": true, "sslRequired": "none",
		"components": map[string]any{"org.keycloak.userprofile.UserProfileProvider": []any{map[string]any{
			"providerId": "declarative-user-profile",
			"config":     map[string][]string{"kc.user.profile.config": {`{"attributes":[{"name":"username"},{"name":"email"},{"name":"firstName"},{"name":"lastName"}],"unmanagedAttributePolicy":"ENABLED"}`}},
		}}},
		"clients": []any{
			map[string]any{"clientId": "maru", "enabled": true, "publicClient": true, "standardFlowEnabled": true, "redirectUris": []string{maru + identity.CallbackPath}, "attributes": map[string]string{"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": maru + "/*"}, "protocolMappers": mappers},
			map[string]any{"clientId": "housing-app", "enabled": true, "publicClient": false, "secret": "test-secret", "serviceAccountsEnabled": true, "standardFlowEnabled": false, "protocolMappers": mappers},
			map[string]any{"clientId": "elsewhere", "enabled": true, "publicClient": false, "secret": "test-secret", "serviceAccountsEnabled": true, "standardFlowEnabled": false, "protocolMappers": mappers[:5]},
		},
		"users": []any{
			person("steward", map[string][]string{"kind": {"official"}, "agency": {"administration"}, "roles": {"steward", "author", "no-such-role"}}),
			person("haneul", map[string][]string{"kind": {"citizen"}, "person": {"42"}}),
			person("nobody", map[string][]string{}),
			service,
			map[string]any{"username": "service-account-elsewhere", "enabled": true, "serviceAccountClientId": "elsewhere", "attributes": map[string][]string{"kind": {"service"}, "project": {"youth-housing"}}},
		},
	}
}

// keycloak starts Keycloak with the realm, and gives the issuer.
func keycloak(t *testing.T, maru string) string {
	t.Helper()
	dist := os.Getenv("MARU_TEST_KEYCLOAK")
	if dist == "" {
		t.Skip("MARU_TEST_KEYCLOAK names no folder of Keycloak: make test-engines does")
	}
	home := filepath.Join(t.TempDir(), "keycloak") // it writes into its own folder
	if out, err := exec.Command("cp", "-r", dist, home).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	text, err := json.Marshal(realm(maru))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(home, "data", "import"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "data", "import", "city.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	log, err := os.Create(filepath.Join(t.TempDir(), "keycloak.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(filepath.Join(home, "bin", "kc.sh"), "start-dev", "--http-host", "127.0.0.1", "--http-port", port, "--import-realm", "--db", "dev-mem")
	c.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD=test-password", "JAVA_OPTS_APPEND=-Xmx512m")
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the script starts Java
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL); <-ended })
	issuer := "http://127.0.0.1:" + port + "/realms/city"
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // until it is asked again
		res, err := http.Get(issuer + "/.well-known/openid-configuration")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return issuer
			}
		}
		select {
		case <-ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("Keycloak isn't ready: %v\n%s", err, said)
	}
}

func TestKeycloakSignsPeopleIn(t *testing.T) {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	defer s.Close()
	issuer := keycloak(t, s.URL)
	trust := identity.NewProvider(identity.Settings{Issuer: issuer, Redirect: s.URL + identity.CallbackPath}, http.DefaultClient, time.Now)
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	sessions, err := identity.OpenSessions(t.Context(), d, time.Now, false)
	if err != nil {
		t.Fatal(err)
	}
	idToken := ""
	mux.HandleFunc("GET /auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
		if err := trust.SignIn(w, r, "/y", false); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET "+identity.CallbackPath, func(w http.ResponseWriter, r *http.Request) {
		p, token, back, err := trust.Callback(w, r)
		if err == nil {
			idToken = token
			err = sessions.Begin(w, r, p, token)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	})
	mux.Handle("/", (&identity.Gate{Provider: trust, Sessions: sessions}).Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := identity.From(r.Context())
		fmt.Fprintf(w, "%s|%s|%s|%s|%s|%s|%v", p.Kind, p.Account, p.Name, p.Person, p.Agency, p.Project, p.Roles)
	})))

	form := regexp.MustCompile(`action="([^"]+)"`)
	signIn := func(name string) (*http.Client, int, string) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := &http.Client{Jar: jar}
		status, page := asked(t, b, http.MethodGet, s.URL+"/auth/sign-in", nil)
		m := form.FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("%d: there is no form in %s", status, page)
		}
		status, body := asked(t, b, http.MethodPost, html.UnescapeString(m[1]), url.Values{"username": {name}, "password": {"test-password"}})
		return b, status, body
	}
	b, status, body := signIn("steward")
	if status != 200 || body != "official|steward|하늘 김||administration||[steward author]" {
		t.Errorf("an official: %d %s", status, body)
	}
	if to := trust.SignOut(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), idToken, s.URL+"/"); !strings.HasPrefix(to, issuer+"/") {
		t.Errorf("signing out leads to %q", to)
	} else if status, _ := asked(t, b, http.MethodGet, to, nil); status != 200 {
		t.Errorf("signing out at the provider: %d", status)
	}
	if _, status, body := signIn("haneul"); status != 200 || body != "citizen|haneul|하늘 김|42|||[]" {
		t.Errorf("a citizen: %d %s", status, body)
	}
	if _, status, body := signIn("nobody"); status != 403 || !strings.Contains(body, "auth.") {
		t.Errorf("somebody of whom the provider doesn't say what they are: %d %s", status, body)
	}

	bearer := func(client string) (int, string) {
		c := clientcredentials.Config{ClientID: client, ClientSecret: "test-secret", TokenURL: issuer + "/protocol/openid-connect/token"}
		token, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return asked(t, http.DefaultClient, http.MethodGet, s.URL+"/x", nil, "Authorization", "Bearer "+token.AccessToken)
	}
	if status, body := bearer("housing-app"); status != 200 || body != "service|service-account-housing-app||||youth-housing|[]" {
		t.Errorf("a system: %d %s", status, body)
	}
	if status, body := bearer("elsewhere"); status != 401 {
		t.Errorf("a token that isn't for Maru: %d %s", status, body)
	}
}

func asked(t *testing.T, c *http.Client, method, address string, values url.Values, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if values != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
