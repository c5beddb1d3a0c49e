package manifest

// Vocabulary is many terms at once, from a table beside the manifest, such as the government's common standard terms.
// A Term document with the same name comes first: a vocabulary's term of that name is left out, and plan says so.
type Vocabulary struct {
	Title Text              `yaml:"title" need:"yes" ko:"용어집 이름" en:"Name of the vocabulary"`
	File  string            `yaml:"file" need:"yes" ko:"표 파일 (CSV 또는 XLSX)" en:"The table: CSV or XLSX"`
	Map   map[string]string `yaml:"map" need:"yes" ko:"표의 열 → 용어의 항목 (name, title, type, length, definition, code_system, class, unit, synonyms, abbreviation, domain)" en:"Column of the table → field of the term (name, title, type, length, definition, code_system, class, unit, synonyms, abbreviation, domain)"`
	Class Class             `yaml:"class" oneof:"public,internal,personal,sensitive,unique" ko:"용어의 기본 보호 등급" en:"Class of the terms that say none"`
	Edition string          `yaml:"edition" ko:"판" en:"Edition of the table"`
}

// Titled is the vocabulary's name.
func (v *Vocabulary) Titled() Text { return v.Title }
