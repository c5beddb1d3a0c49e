package manifest

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
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
	Source    *Source    `yaml:"source" ko:"레코드의 출처" en:"Where the records come from"`
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
	Was      string       `yaml:"was" ko:"바뀌기 전 항목 이름" en:"What the field was called before"`
}

// Source says where a dataset's records come from, and how they are read. Exactly one of File, HTTP and OpenAPI is set.
type Source struct {
	File     string            `yaml:"file" ko:"파일 (서버의 자료 폴더 안)" en:"A file in the server's folder for sources"`
	HTTP     string            `yaml:"http" ko:"JSON을 제공하는 주소" en:"An address that answers JSON"`
	OpenAPI  string            `yaml:"openapi" ko:"서울 열린데이터광장 형식의 주소 (…/{from}/{to}/)" en:"An address in the form of the city's open API, with {from} and {to}"`
	Items    string            `yaml:"items" ko:"JSON에서 레코드 목록의 위치 (예: data.items)" en:"Where the list of records stands in the JSON, such as data.items"`
	Sheet    string            `yaml:"sheet" ko:"시트 이름" en:"Sheet of a workbook"`
	Header   *int              `yaml:"header" min:"0" ko:"열 이름이 있는 행의 수 (0이면 없음)" en:"How many rows of column names there are (0: none)"`
	Skip     int               `yaml:"skip" min:"0" ko:"열 이름 앞에서 건너뛸 행의 수" en:"Rows to leave out before the column names"`
	Encoding string            `yaml:"encoding" oneof:"utf-8,cp949" ko:"문자 인코딩" en:"Encoding of the text"`
	Map      map[string]string `yaml:"map" ko:"열 이름 → 항목" en:"Column → field"`
	Empty    []string          `yaml:"empty" ko:"빈 값으로 볼 문자" en:"Texts that mean that there is no value"`
	Schedule string            `yaml:"schedule" ko:"주기 (cron 또는 every 15m)" en:"When to read it: cron, or every 15m"`
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
	for _, from := range []string{s.File, s.HTTP, s.OpenAPI} {
		if from != "" {
			given++
		}
	}
	if given != 1 {
		c.fault("source", "source.one", T("file, http, openapi 가운데 하나만 쓰십시오", "give one of file, http, openapi"), Text{})
	}
	if s.File != "" && (path.IsAbs(s.File) || slices.Contains(strings.Split(s.File, "/"), "..")) {
		c.fault("source.file", "manifest.path", T("파일은 자료 폴더 안의 상대 경로여야 합니다", "the file must be a path inside the folder for sources"), Text{})
	}
	for at, address := range map[string]string{"source.http": s.HTTP, "source.openapi": s.OpenAPI} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			c.fault(at, "source.address", Textf("http 주소가 아닙니다: %q", "%q is no http address", address), Text{})
		} else if u.User != nil {
			c.fault(at, "source.secret", T("주소에는 비밀번호를 쓸 수 없습니다", "no password may stand in the address"), Text{})
		}
	}
	if s.OpenAPI != "" && (!strings.Contains(s.OpenAPI, "{from}") || !strings.Contains(s.OpenAPI, "{to}")) {
		c.fault("source.openapi", "source.address", T("주소에 {from}과 {to}가 있어야 합니다", "the address needs {from} and {to}"), Text{})
	}
	for _, column := range slices.Sorted(maps.Keys(s.Map)) {
		if d.Field(s.Map[column]) == nil {
			c.fieldNames("source.map."+column, []string{s.Map[column]}, d)
		}
	}
	if s.Schedule != "" {
		if _, err := ParseSchedule(s.Schedule); err != nil {
			c.fault("source.schedule", "source.schedule", Textf("올바른 주기가 아닙니다: %q", "%q is no schedule", s.Schedule),
				T("every 15m이나 cron의 다섯 자리(예: 0 6 * * 1)로 쓰십시오", "write every 15m, or cron with five fields such as 0 6 * * 1"))
		}
	}
}

func (d *Dataset) references(*Resource) []Reference {
	var out []Reference
	for _, f := range d.Fields {
		out = append(out, someReference(Key{Kind: "Term", Name: f.Term}, "fields."+f.Name+".term")...)
	}
	return out
}
