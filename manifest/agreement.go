package manifest

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Agreement is what one project may read of another's dataset, for which purpose and on what ground (전자정부법 제39조, 데이터기반행정법 제10조). It lies in
// the consumer's folder. Applied, it is a request; the provider's approval makes it hold.
type Agreement struct {
	Title   Text              `yaml:"title" ko:"협약 이름" en:"Name of the agreement"`
	About   Text              `yaml:"about" ko:"왜 필요한지" en:"Why it is needed"`
	Dataset string            `yaml:"dataset" need:"yes" ko:"제공 기관의 데이터셋 (사업/이름)" en:"The provider's dataset, project/name"`
	Purpose string            `yaml:"purpose" need:"yes" pattern:"^[a-z][a-z0-9]*(-[a-z0-9]+)*$" ko:"이용 목적. 읽을 때마다 같은 목적을 밝혀야 합니다" en:"What it is for; every read must say the same"`
	Basis   string            `yaml:"basis" ko:"법적 근거 (법령과 조문)" en:"Legal basis: law and article"`
	Fields  []string          `yaml:"fields" need:"yes" ko:"읽을 항목" en:"The fields that are read"`
	Where   string            `yaml:"where" ko:"읽을 레코드의 조건 (CEL)" en:"Which records: a condition in CEL"`
	Masks   map[string]string `yaml:"masks" ko:"항목 → 가림 방법" en:"Field → mask"`
	Subject string            `yaml:"subject" oneof:"one,many" ko:"한 번에 한 사람(one, 기본) 또는 여럿(many)" en:"One person a read (one, the default) or many"`
	Consent string            `yaml:"consent" oneof:"law,asked,none" ko:"동의: law(법에 따라 읽고 나중에 알림, 기본), asked(미리 동의), none(사람에 관한 자료가 아님)" en:"Consent: law (read by law and told afterwards, the default), asked (beforehand), none (not about people)"`
	Events  bool              `yaml:"events" ko:"레코드가 바뀔 때마다 알림" en:"Whether each change of the records is sent"`
	Webhook string            `yaml:"webhook" ko:"알림을 받을 주소 (없으면 NATS로 받습니다)" en:"Address that events are posted to; without it they are read by NATS"`
	Secret  string            `yaml:"secret" pattern:"^[a-z][a-z0-9-]{0,62}$" ko:"알림의 서명 키 이름 (값은 서버의 secrets 폴더에 둡니다)" en:"Name of the key that signs them, which lies in the server's folder secrets"`
	Until   Day               `yaml:"until" need:"yes" ko:"마지막 날" en:"Its last day"`
	Limit   string            `yaml:"limit" pattern:"^[1-9][0-9]{0,8}/(s|min|h|day)$" ko:"읽기 횟수 한도 (예: 600/min)" en:"How many reads at most, such as 600/min"`
}

// Titled is the agreement's name.
func (a *Agreement) Titled() Text { return a.Title }

// Many reports whether several people may be read of at once.
func (a *Agreement) Many() bool { return a.Subject == "many" }

// Asked reports whether people must have consented beforehand.
func (a *Agreement) Asked() bool { return a.Consent == "asked" }

// Rate is the limit as a number of reads in a time; 0 where there is none.
func (a *Agreement) Rate() (reads int64, in time.Duration) {
	n, unit, ok := strings.Cut(a.Limit, "/")
	if !ok {
		return 0, 0
	}
	reads, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0, 0
	}
	return reads, map[string]time.Duration{"s": time.Second, "min": time.Minute, "h": time.Hour, "day": 24 * time.Hour}[unit]
}

// Provider is the key of the dataset that is read.
func (a *Agreement) Provider(home string) Key { return Ref("Dataset", home, a.Dataset) }

func (a *Agreement) check(c *checker) {
	seen := map[string]bool{}
	for i, name := range a.Fields {
		if seen[name] {
			c.fault("fields."+itoa(i), "manifest.twice", Textf("두 번 나오는 이름입니다: %s", "%s stands twice", name), Text{})
		}
		seen[name] = true
	}
	if len(a.Fields) == 0 {
		c.fault("fields", "manifest.empty", T("읽을 항목을 적어도 하나 쓰십시오", "name at least one field"), Text{})
	}
	if a.Webhook != "" {
		u, err := url.Parse(a.Webhook)
		switch {
		case err != nil || u.Scheme != "https" && (u.Scheme != "http" || !here(u.Hostname())) || u.Host == "" || u.User != nil:
			c.fault("webhook", "agreement.webhook", Textf("알림을 받을 수 있는 주소가 아닙니다: %q", "%q is no address that events can be posted to", a.Webhook), T("https://…로 쓰십시오", "write https://…"))
		case !a.Events:
			c.fault("webhook", "agreement.webhook", T("webhook은 events: true와 함께 쓰십시오", "webhook goes with events: true"), Text{})
		case a.Secret == "":
			c.fault("webhook", "agreement.webhook", T("서명 키의 이름(secret)이 필요합니다", "it needs the name of the key that signs, secret"), Text{})
		}
	}
	for name := range a.Masks {
		if !seen[name] {
			c.fault("masks."+name, "agreement.mask", Textf("fields에 없는 항목입니다: %s", "%s isn't one of fields", name), Text{})
		}
	}
}

// here reports whether a host is the machine itself: to it nothing goes over a network.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *Agreement) references(r *Resource) []Reference {
	if a.Dataset == "" {
		return nil
	}
	return []Reference{{To: a.Provider(r.Project), Path: "dataset"}}
}
