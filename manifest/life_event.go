package manifest

// LifeEvent is what happens in a person's life: a birth, a job lost, a move. Services say for which of them they are; citizens find services by it.
type LifeEvent struct {
	Title Text `yaml:"title" need:"yes" ko:"생애사건 이름" en:"What happens"`
	About Text `yaml:"about" ko:"설명" en:"What it means"`
	Order int  `yaml:"order" min:"0" ko:"보여 주는 순서" en:"In which order it is shown"`
}

// Titled is what happens.
func (l *LifeEvent) Titled() Text { return l.Title }

func (l *LifeEvent) check(*checker) {}

func (l *LifeEvent) references(*Resource) []Reference { return nil }
