package manifest

import "reflect"

// Kind is one line of the table of kinds. A new kind is a file with its struct and its line here.
type Kind struct {
	Name  string
	Title Text
	City  bool // the city's own: one name space for all projects
	New   func() Spec
}

// Kinds is the table of kinds, in the order in which a person meets them.
var Kinds = []Kind{
	{Name: "Agency", Title: Text{Ko: "기관", En: "Agency"}, City: true, New: func() Spec { return new(Agency) }},
	{Name: "Project", Title: Text{Ko: "정보화사업", En: "Project"}, City: true, New: func() Spec { return new(Project) }},
	{Name: "Term", Title: Text{Ko: "표준용어", En: "Term"}, City: true, New: func() Spec { return new(Term) }},
	{Name: "Vocabulary", Title: Text{Ko: "용어집", En: "Vocabulary"}, City: true, New: func() Spec { return new(Vocabulary) }},
	{Name: "Parameter", Title: Text{Ko: "기준값", En: "Parameter"}, City: true, New: func() Spec { return new(Parameter) }},
	{Name: "Calendar", Title: Text{Ko: "업무일력", En: "Calendar"}, City: true, New: func() Spec { return new(Calendar) }},
	{Name: "LifeEvent", Title: Text{Ko: "생애사건", En: "Life event"}, City: true, New: func() Spec { return new(LifeEvent) }},
	{Name: "Dataset", Title: Text{Ko: "데이터셋", En: "Dataset"}, New: func() Spec { return new(Dataset) }},
	{Name: "Agreement", Title: Text{Ko: "데이터 공유 협약", En: "Agreement"}, New: func() Spec { return new(Agreement) }},
	{Name: "Service", Title: Text{Ko: "행정서비스", En: "Service"}, New: func() Spec { return new(Service) }},
}

// KindOf returns the kind of a name, or the zero Kind.
func KindOf(name string) Kind {
	for _, k := range Kinds {
		if k.Name == name {
			return k
		}
	}
	return Kind{}
}

// fields lists the struct fields of a kind that can be written in YAML.
func (k Kind) fields() []field { return fieldsOf(reflect.TypeOf(k.New()).Elem()) }
