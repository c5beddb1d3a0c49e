package exchange

import (
	"crypto/rand"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/maru-city/maru/ledger"
)

// Public is what everyone may see of a read: the log's entries. It names no person.
type Public struct {
	Kind      string            `json:"kind"` // "read" and "event" (sent when records change) by an agreement; by the owner's own people "own" (for their work, by the API), "reveal" (on a page, for a reason)
	At        time.Time         `json:"at"`
	Agreement string            `json:"agreement,omitempty"` // project/name
	Version   int64             `json:"version,omitempty"`
	Dataset   string            `json:"dataset"`
	Revision  int64             `json:"revision"` // of the catalog
	Consumer  string            `json:"consumer"` // the project that read
	Agency    string            `json:"agency"`   // its owner, as of the day
	Provider  string            `json:"provider"` // the owner of the dataset
	Purpose   string            `json:"purpose"`
	Basis     string            `json:"basis,omitempty"`
	Fields    []string          `json:"fields"`
	Masks     map[string]string `json:"masks,omitempty"`
	Consent   string            `json:"consent,omitempty"`
	Records   int64             `json:"records"`
	People    int64             `json:"people"`         // how many it was about
	Read      string            `json:"read,omitempty"` // the same for all parts of a bulk read
	Part      int               `json:"part,omitempty"` // from 1
}

// Private is what only those it is about may see.
type Private struct {
	Salt    string `json:"salt"`
	Subject int64  `json:"subject,omitempty"` // as the log knows them
	Actor   string `json:"actor"`
	Name    string `json:"name,omitempty"`
	Filter  string `json:"filter,omitempty"` // sealed: only the city can open it
	Reason  string `json:"reason,omitempty"`
}

func newSalt() string { return rand.Text() }

// receipt is what the log keeps of a read by a contract.
func (x *Exchange) receipt(c *contract, r Request, fields []*shown) Public {
	out := Public{
		Kind: "read", At: x.now().UTC().Truncate(time.Millisecond), Agreement: c.Path(), Version: c.Version.Version, Dataset: c.Dataset, Revision: c.revision,
		Consumer: c.Project, Purpose: r.Purpose, Basis: c.Spec.Basis, Consent: c.Spec.Consent,
	}
	if out.Consent == "" {
		out.Consent = "law"
	}
	if len(c.consumer.Owners) > 0 {
		out.Agency = c.consumer.Owners[0]
	}
	if len(c.provider.Owners) > 0 {
		out.Provider = c.provider.Owners[0]
	}
	for _, f := range fields {
		out.Fields = append(out.Fields, f.Name)
		if f.mask != nil {
			if out.Masks == nil {
				out.Masks = map[string]string{}
			}
			out.Masks[f.Name] = f.mask.Name
		}
	}
	return out
}

// entry is a receipt about those in about, as the log numbers them. Of one the log knows whom, of many it keeps the set.
func entry(public Public, private Private, about *roaring.Bitmap) ledger.Entry {
	out := ledger.Entry{}
	switch public.People = int64(about.GetCardinality()); {
	case public.People == 1:
		private.Subject = int64(about.Minimum())
		out.Subject = private.Subject
	case public.People > 1:
		out.Subjects = about
	}
	out.Public, out.Private = public, private
	return out
}
