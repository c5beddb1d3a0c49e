package exchange_test

import (
	"go/ast"
	"go/token"
	gotypes "go/types"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// givesRecords are the methods of the registry that give records out. What else it has tells of them no more than counts, and Sample is for the console alone.
var givesRecords = map[string]bool{"Get": true, "List": true, "Stream": true, "Select": true, "Download": true, "History": true}

// inside are the packages that may read records; the console has samples, of which a test of its own shows that no value about a person is read.
var inside = map[string]bool{"registry": true, "exchange": true}

// TestNobodyElseReadsADatasetsTable walks all packages: outside registry and exchange nothing names a dataset's table, and nothing asks the registry for records.
func TestNobodyElseReadsADatasetsTable(t *testing.T) {
	const module = "github.com/maru-city/maru/"
	all, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax, Dir: ".."}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	tables := regexp.MustCompile(`(?i)\b(FROM|JOIN|INTO|UPDATE)\s+(dataset_table|former)\b|\bd%d_%d`)
	packagesSeen, uses := 0, 0
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		room, _, _ := strings.Cut(strings.TrimPrefix(p.PkgPath, module), "/")
		packagesSeen++
		for ident, object := range p.TypesInfo.Uses {
			method, ok := object.(*gotypes.Func)
			if !ok || method.Pkg() == nil || method.Pkg().Path() != module+"registry" || !givesRecords[method.Name()] {
				continue
			}
			if receiver := method.Signature().Recv(); receiver == nil || !strings.HasSuffix(receiver.Type().String(), "registry.Registry") {
				continue
			}
			if uses++; !inside[room] {
				t.Errorf("%s reads records past the exchange", p.Fset.Position(ident.Pos()))
			}
		}
		if inside[room] {
			continue
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && tables.MatchString(s.Value) {
					t.Errorf("%s names a table of records", p.Fset.Position(s.Pos()))
				}
				return true
			})
		}
	}
	if packagesSeen < 20 || uses < 3 {
		t.Errorf("only %d packages and %d uses were seen", packagesSeen, uses)
	}
}
