package manifest

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/problem"
)

// Dataset is typed records whose fields cite terms.
type Dataset struct {
	Title     Text       `yaml:"title" need:"yes" ko:"데이터셋 이름" en:"Name of the dataset"`
	About     Text       `yaml:"about" ko:"설명" en:"What it holds"`
	Key       []string   `yaml:"key" ko:"식별 항목. 없으면 값 전체로 레코드를 구분합니다" en:"The fields that identify a record; without them, all its values do"`
	Subject   string     `yaml:"subject" ko:"누구에 관한 레코드인지 나타내는 항목" en:"The field that says whose data a record is"`
	Fields    FieldList  `yaml:"fields" need:"yes" ko:"항목" en:"The fields, in order"`
	Unique    [][]string `yaml:"unique" ko:"겹칠 수 없는 항목 묶음" en:"Sets of fields whose values no two records share"`
	Index     [][]string `yaml:"index" ko:"빠르게 찾을 항목 묶음" en:"Sets of fields that are often searched"`
	History   *bool      `yaml:"history" ko:"바뀌기 전 값을 보존할지 (기본 true)" en:"Whether former values are kept (default true)"`
	Source    *Source    `yaml:"source" ko:"레코드를 읽어 올 원본" en:"Where the records come from"`
	Retention string     `yaml:"retention" pattern:"^([1-9][0-9]*(d|m|y)|permanent)$" ko:"보존기간 (예: 90d, 6m, 5y, permanent)" en:"How long records are kept: 90d, 6m, 5y, permanent"`
	Licence   string     `yaml:"licence" ko:"이용허락 (예: KOGL-1)" en:"Licence, such as KOGL-1"`
}

// Field is one field of a dataset. What it leaves out comes from its term; what it says narrows the term.
type Field struct {
	Name     string       `yaml:"-"`
	Term     string       `yaml:"term" ko:"표준용어" en:"The term it cites"`
	Title    Text         `yaml:"title" ko:"항목 이름" en:"Name of the field"`
	Type     Type         `yaml:"type" oneof:"string,int,double,bool,date,datetime,geometry" ko:"값의 유형 (용어가 없을 때)" en:"Type of its values, where no term says it"`
	Required bool         `yaml:"required" ko:"비울 수 없음" en:"Must not be empty"`
	Length   int          `yaml:"length" min:"1" max:"100_000" ko:"최대 길이(글자 수)" en:"Longest value, in characters"`
	Pattern  string       `yaml:"pattern" ko:"값의 형식 (RE2 정규식, 값 전체)" en:"Form of its values: an RE2 expression for the whole value"`
	Min      *float64     `yaml:"min" ko:"최솟값" en:"Smallest value"`
	Max      *float64     `yaml:"max" ko:"최댓값" en:"Largest value"`
	Unit     string       `yaml:"unit" ko:"단위" en:"Unit"`
	Codes    OrderedTexts `yaml:"codes" ko:"코드와 그 이름" en:"The codes and their names"`
	Class    Class        `yaml:"class" oneof:"public,internal,personal,sensitive,unique" ko:"보호 등급" en:"How it is protected"`
	Basis    string       `yaml:"basis" ko:"개인정보로 보이는 값을 공개하는 법적 근거" en:"The law by which values that look personal are open to all"`
	Was      string       `yaml:"was" ko:"바뀌기 전 항목 이름" en:"What the field was called before"`
}

// Source says where a dataset's records come from, and how they are read. Exactly one of File, Folder, HTTP, OpenAPI and Database is set.
type Source struct {
	File        string            `yaml:"file" ko:"파일 (서버의 자료 폴더 sources/프로젝트 안, 또는 sftp://, s3://)" en:"A file in the project's folder of the server's folder sources, or at sftp:// or s3://"`
	Folder      string            `yaml:"folder" ko:"파일을 넣는 폴더 (서버의 자료 폴더 sources/프로젝트 안, 또는 sftp://, s3://). 가장 최근 파일을 읽습니다" en:"A folder in the project's folder of the server's folder sources, or at sftp:// or s3://, whose newest file is read"`
	HTTP        string            `yaml:"http" ko:"JSON을 제공하는 주소. {page}, {offset}, {cursor}가 있으면 페이지별로 읽습니다" en:"An address that answers JSON; with {page}, {offset} or {cursor} page by page"`
	OpenAPI     string            `yaml:"openapi" ko:"서울 열린데이터광장 형식의 주소 (…/{from}/{to}/)" en:"An address in the form of the city's open API, with {from} and {to}"`
	Database    string            `yaml:"database" ko:"데이터베이스 주소 (postgres://, mysql://, sqlite://)" en:"A database: postgres://…, mysql://… or sqlite://FILE"`
	Table       string            `yaml:"table" ko:"데이터베이스 테이블 (예: public.people)" en:"Table of the database, such as public.people"`
	Since       string            `yaml:"since" ko:"바뀐 시각이나 커지는 번호가 있는 열. 있으면 그 뒤에 바뀐 행만 읽고, 전체는 하루에 한 번 읽습니다" en:"Column of the time of change, or of a number that grows: only what has come since is read, and all of it once a day"`
	Publication string            `yaml:"publication" pattern:"^[A-Za-z_][A-Za-z0-9_]{0,62}$" ko:"PostgreSQL의 발행(publication) 이름. 있으면 바뀌는 대로 받습니다" en:"A publication of PostgreSQL that has the table: its changes are carried over as they are made"`
	Secret      string            `yaml:"secret" pattern:"^[a-z][a-z0-9-]{0,62}$" ko:"비밀번호나 인증키의 이름 (값은 서버의 secrets 폴더에 둡니다)" en:"Name of the password or key, which lies in the server's folder secrets"`
	Append      bool              `yaml:"append" ko:"원본에 새 행만 있는지. true면 원본에 없는 레코드를 삭제하지 않습니다" en:"The source has only what is new: records that it doesn't have aren't deleted"`
	HostKey     string            `yaml:"hostkey" pattern:"^SHA256:[A-Za-z0-9+/]{43}$" ko:"SFTP 서버의 호스트 키 (SHA256:…)" en:"Key of the SFTP server: SHA256:…"`
	KeyHeader   string            `yaml:"key_header" pattern:"^[A-Za-z0-9-]{1,64}$" ko:"비밀값을 보낼 HTTP 헤더 (예: X-API-Key)" en:"HTTP header by which the secret is sent, such as X-API-Key"`
	Next        string            `yaml:"next" ko:"JSON에서 다음 페이지의 주소나 위치({cursor})가 있는 곳 (예: links.next)" en:"Where the JSON says the address of the next page, or its {cursor}, such as links.next"`
	Items       string            `yaml:"items" ko:"JSON에서 레코드 목록의 위치 (예: data.items)" en:"Where the list of records stands in the JSON, such as data.items"`
	Sheet       string            `yaml:"sheet" ko:"시트 이름" en:"Sheet of a workbook"`
	Header      *int              `yaml:"header" min:"0" ko:"열 이름이 있는 행의 수 (0이면 없음)" en:"How many rows of column names there are (0: none)"`
	Skip        int               `yaml:"skip" min:"0" ko:"열 이름 앞에서 건너뛸 행의 수" en:"Rows to leave out before the column names"`
	Encoding    string            `yaml:"encoding" oneof:"utf-8,cp949" ko:"문자 인코딩" en:"Encoding of the text"`
	Map         map[string]string `yaml:"map" ko:"열 이름 → 항목" en:"Column → field"`
	Set         map[string]string `yaml:"set" ko:"항목 → 원본의 행으로 계산하는 식 (CEL, 예: row['성'] + row['이름'])" en:"Field → expression that computes it from the source's row, in CEL, such as row['first'] + ' ' + row['last']"`
	Where       string            `yaml:"where" ko:"읽을 행의 조건 (CEL, 예: row['상태'] != '폐업')" en:"Which rows are taken: a condition in CEL, such as row['state'] != 'closed'"`
	Empty       []string          `yaml:"empty" ko:"빈 값으로 처리할 문자열" en:"Texts that mean that there is no value"`
	Schedule    string            `yaml:"schedule" ko:"읽는 주기 (cron 또는 every 15m)" en:"When to read it: cron, or every 15m"`
}

// Titled is the dataset's name.
func (d *Dataset) Titled() Text { return d.Title }

// KeepsHistory reports whether former values of records are kept.
func (d *Dataset) KeepsHistory() bool { return d.History == nil || *d.History }

// Field returns the field of a name, or nil.
func (d *Dataset) Field(name string) *Field {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return &d.Fields[i]
		}
	}
	return nil
}

// MaxFields is how many fields a dataset may have.
const MaxFields = 500

func (d *Dataset) check(c *checker) {
	if len(d.Fields) > MaxFields {
		c.fault("fields", "dataset.fields", Textf("항목은 %d개까지 둘 수 있습니다", "a dataset has at most %d fields", MaxFields), Text{})
	}
	c.fieldNames("key", d.Key, d)
	for i, set := range d.Unique {
		c.fieldNames("unique."+itoa(i), set, d)
	}
	for i, set := range d.Index {
		c.fieldNames("index."+itoa(i), set, d)
	}
	if d.Subject != "" && d.Field(d.Subject) == nil {
		c.fieldNames("subject", []string{d.Subject}, d)
	}
	was := map[string]string{}
	for _, f := range d.Fields {
		at := "fields." + f.Name
		if f.Term == "" && f.Type == "" {
			c.fault(at, "dataset.type", Textf("term이나 type이 필요한 항목입니다: %s", "field %s needs a term or a type", f.Name),
				T("표준용어가 있으면 term:을, 없으면 type:과 title:을 쓰십시오", "cite a term where there is one, else give type: and title:"))
		}
		c.constraints(at, f.Type, f.Length, f.Pattern, f.Min, f.Max, f.Codes)
		if f.Was == "" {
			continue
		}
		if d.Field(f.Was) != nil {
			c.fault(at+".was", "dataset.was", Textf("was:에 쓴 항목이 아직 남아 있습니다: %s", "was: %s is a field that still exists", f.Was), Text{})
		}
		if other := was[f.Was]; other != "" {
			c.fault(at+".was", "dataset.was", Textf("두 항목(%s, %s)의 was: 값이 같습니다: %s", "%s and %s both say that they were %s", other, f.Name, f.Was), Text{})
		}
		was[f.Was] = f.Name
	}
	if d.Source != nil {
		d.Source.check(c, d)
	}
}

func (s *Source) check(c *checker, d *Dataset) {
	given := 0
	for _, from := range []string{s.File, s.Folder, s.HTTP, s.OpenAPI, s.Database} {
		if from != "" {
			given++
		}
	}
	if given != 1 {
		c.fault("source", "source.one", T("file, folder, http, openapi, database 가운데 하나만 쓰십시오", "give one of file, folder, http, openapi, database"), Text{})
	}
	for at, inside := range map[string]string{"source.file": s.File, "source.folder": s.Folder} {
		switch {
		case strings.Contains(inside, "://"):
			s.checkRemote(c, at, inside)
		case path.IsAbs(inside) || slices.Contains(strings.Split(inside, "/"), ".."):
			c.fault(at, "manifest.path", T("자료 폴더 안의 상대 경로여야 합니다", "it must be a path inside the folder for sources"), Text{})
		}
	}
	for at, address := range map[string]string{"source.http": s.HTTP, "source.openapi": s.OpenAPI} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		switch {
		case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
			c.fault(at, "source.address", Textf("http://나 https://로 시작하는 주소가 아닙니다: %q", "%q is no http address", address), Text{})
		case u.User != nil:
			if _, has := u.User.Password(); has || s.OpenAPI != "" || s.Secret == "" {
				c.fault(at, "source.secret", T("주소에는 비밀번호를 쓸 수 없습니다", "no password may stand in the address"),
					T("https://사용자@서버/…로 쓰고 비밀번호의 이름을 source.secret에 쓰십시오", "write https://user@host/… and name the password in source.secret"))
			}
		}
	}
	if (s.KeyHeader != "" || s.Next != "") && s.HTTP == "" {
		c.fault("source", "source.http_only", T("key_header와 next는 http와 함께 쓰십시오", "key_header and next go with http"), Text{})
	}
	if s.KeyHeader != "" && s.Secret == "" {
		c.fault("source.key_header", "source.secret", T("key_header로 보낼 비밀값의 이름을 source.secret에 쓰십시오", "name the secret that the header has in source.secret"), Text{})
	}
	if strings.Contains(s.HTTP, "{cursor}") && s.Next == "" {
		c.fault("source.next", "source.next", T("{cursor}의 값이 응답의 어디에 있는지 next에 쓰십시오", "say in next where the answer has the next {cursor}"), Text{})
	}
	for _, field := range slices.Sorted(maps.Keys(s.Set)) {
		if d.Field(field) == nil {
			c.fieldNames("source.set."+field, []string{field}, d)
		}
	}
	if s.OpenAPI != "" && (!strings.Contains(s.OpenAPI, "{from}") || !strings.Contains(s.OpenAPI, "{to}")) {
		c.fault("source.openapi", "source.address", T("주소에 {from}과 {to}가 있어야 합니다", "the address needs {from} and {to}"), Text{})
	}
	s.checkDatabase(c)
	for _, column := range slices.Sorted(maps.Keys(s.Map)) {
		if d.Field(s.Map[column]) == nil {
			c.fieldNames("source.map."+column, []string{s.Map[column]}, d)
		}
	}
	if s.Schedule != "" {
		if _, err := ParseSchedule(s.Schedule); err != nil {
			c.fault("source.schedule", "source.schedule", Textf("올바른 주기가 아닙니다: %q", "%q is no schedule", s.Schedule),
				Textf("every 15m이나 다섯 칸의 cron 형식(예: 0 6 * * 1)으로 쓰십시오. 주기는 %s 이상이어야 합니다", "write every 15m, or cron with five fields such as 0 6 * * 1; the shortest is every %s", MinInterval.String()))
		}
	}
}

// Check looks at the address of a database and its table before they stand in a manifest. It returns a Problem with code source.invalid.
func (s *Source) Check() error {
	c := &checker{resource: &Resource{}}
	s.checkDatabase(c)
	if len(c.findings) == 0 {
		return nil
	}
	p := problem.New("source.invalid", 400, c.findings[0].Message).Hinting(c.findings[0].Hint)
	for _, f := range c.findings[1:] {
		p.At = append(p.At, problem.Detail{Code: f.Code, Message: f.Message, Hint: f.Hint})
	}
	return p
}

// Paged reports whether an http address is read page by page.
func (s *Source) Paged() bool {
	return s.HTTP != "" && (s.Next != "" || strings.Contains(s.HTTP, "{page}") || strings.Contains(s.HTTP, "{offset}") || strings.Contains(s.HTTP, "{cursor}"))
}

// checkRemote looks at the address of files that lie elsewhere.
func (s *Source) checkRemote(c *checker, at, address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || !slices.Contains([]string{"sftp", "s3", "s3+http"}, u.Scheme) || u.Host == "" || u.User.Username() == "":
		c.fault(at, "source.address", T("파일 서버의 주소가 아닙니다", "it is no address of files"),
			T("sftp://사용자@서버/폴더, s3://접근키@서버/버킷/폴더 가운데 하나로 쓰십시오 (암호화하지 않는 내부망 저장소는 s3+http://)", "write sftp://user@host/folder or s3://ACCESSKEY@host/bucket/folder (s3+http:// for a store inside that doesn't encrypt)"))
		return
	case s.Secret == "":
		c.fault("source.secret", "source.secret", T("비밀번호, 개인키, 비밀 접근 키 가운데 하나의 이름을 source.secret에 쓰십시오", "the password, private key or secret access key must be named"), Text{})
	}
	if _, has := u.User.Password(); has {
		c.fault(at, "source.secret", T("주소에는 비밀번호를 쓸 수 없습니다", "no password may stand in the address"), Text{})
	}
	if u.Scheme == "sftp" && s.HostKey == "" {
		c.fault("source.hostkey", "source.hostkey", T("SFTP 서버의 호스트 키가 필요합니다", "the SFTP server's key is needed"),
			T("ssh-keyscan 서버 | ssh-keygen -lf - 로 확인하고, 서버 관리자가 알려 준 키와 같은지 확인하십시오", "see ssh-keyscan HOST | ssh-keygen -lf -, and ask who keeps the server whether it is theirs"))
	}
	if bucket, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/"); strings.HasPrefix(u.Scheme, "s3") && bucket == "" {
		c.fault(at, "source.address", T("주소에 버킷이 없습니다", "the address has no bucket"), Text{})
	}
}

func (s *Source) checkDatabase(c *checker) {
	if s.Database == "" {
		for at, given := range map[string]string{"table": s.Table, "since": s.Since, "publication": s.Publication} {
			if given != "" {
				c.fault("source."+at, "source.database_only", Textf("database와 함께 써야 합니다: %s", "%s goes with database", at), Text{})
			}
		}
		return
	}
	u, err := url.Parse(s.Database)
	switch {
	case err != nil || !slices.Contains([]string{"postgres", "mysql", "sqlite"}, u.Scheme):
		c.fault("source.database", "source.address", T("데이터베이스 주소가 아닙니다", "it is no address of a database"),
			T("postgres://사용자@서버/데이터베이스, mysql://…, sqlite://파일 가운데 하나로 쓰십시오", "write postgres://user@host/database, mysql://… or sqlite://FILE"))
	case u.Scheme == "sqlite":
		if file := u.Opaque + u.Host + u.Path; file == "" || path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") || u.User != nil {
			c.fault("source.database", "manifest.path", T("자료 폴더 안의 상대 경로여야 합니다", "it must be a path inside the folder for sources"), Text{})
		}
	case u.Hostname() == "" || u.User.Username() == "" || strings.Trim(u.Path, "/") == "" || strings.Contains(strings.Trim(u.Path, "/"), "/"):
		c.fault("source.database", "source.address", T("사용자, 서버, 데이터베이스 이름이 모두 있어야 합니다", "the address needs a user, a host and a database"),
			Textf("%[1]s://사용자@서버/데이터베이스 형식으로 쓰십시오", "write %[1]s://user@host/database", u.Scheme))
	}
	if err == nil && u.User != nil {
		if _, has := u.User.Password(); has || u.Query().Has("password") {
			c.fault("source.database", "source.secret", T("주소에는 비밀번호를 쓸 수 없습니다", "no password may stand in the address"),
				T("source.secret에 비밀값의 이름을 쓰고, 값은 서버의 secrets 폴더에 두십시오", "name it in source.secret, and have it put into the server's folder secrets"))
		}
	}
	if s.Publication != "" && err == nil {
		for at, given := range map[string]bool{"since": s.Since != "", "schedule": s.Schedule != "", "append": s.Append} {
			if given {
				c.fault("source."+at, "source.publication", Textf("publication과 함께 쓸 수 없습니다: %s", "%s doesn't go with publication", at), T("바뀌는 대로 받으므로 필요하지 않습니다. 그 항목을 지우십시오", "changes come as they are made, so it isn't needed"))
			}
		}
		if u.Scheme != "postgres" {
			c.fault("source.publication", "source.publication", T("publication은 postgres:// 데이터베이스에만 있습니다", "only postgres:// databases have publications"), Text{})
		}
	}
	if parts := strings.Split(s.Table, "."); len(parts) > 2 || slices.ContainsFunc(parts, func(p string) bool { return p == "" || len(p) > 128 }) {
		c.fault("source.table", "source.table", T("테이블의 이름이 필요합니다", "the table's name is needed"), T("table: public.people처럼 쓰십시오", "write table: public.people"))
	}
}

func (d *Dataset) references(*Resource) []Reference {
	var out []Reference
	for _, f := range d.Fields {
		out = append(out, someReference(Key{Kind: "Term", Name: f.Term}, "fields."+f.Name+".term")...)
	}
	return out
}
