package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ckanScript reads a server with ckanapi and rdflib as they are. It prints what it found, one fact a line.
const ckanScript = `
import sys
from ckanapi import RemoteCKAN, NotFound, NotAuthorized, ValidationError
import rdflib
base = sys.argv[1]
c = RemoteCKAN(base + '/ckan')
names = c.action.package_list()
print('packages', len(names))
shown = [c.action.package_show(id=n) for n in names]
print('shown', all(p['name'] == n and p['resources'] for p, n in zip(shown, names)))
found = c.action.package_search(q='도서관', rows=5)
print('found', found['count'], found['results'][0]['title'])
paged, start = [], 0
while True:
    page = c.action.package_search(rows=5, start=start, sort='name asc')['results']
    paged += [p['name'] for p in page]
    start += 5
    if not page: break
print('paged', paged == sorted(names))
toilets = c.action.package_show(id='public-toilets_toilets')
store = [r['id'] for r in toilets['resources'] if r['datastore_active']][0]
all, offset = [], 0
while True:
    page = c.action.datastore_search(resource_id=store, limit=100, offset=offset)
    all += page['records']
    offset += 100
    if not page['records']: break
print('records', len(all) == page['total'] and len({r['facility_no'] for r in all}) == len(all))
first = all[0]
print('filtered', c.action.datastore_search(resource_id=store, filters={'facility_no': first['facility_no']})['records'][0]['name'] == first['name'])
for name, call in {
    'unknown': lambda: c.action.package_show(id='nothing'),
    'invalid': lambda: c.action.datastore_search(resource_id=store, limit='x'),
    'sql': lambda: c.action.datastore_search_sql(sql='SELECT 1'),
}.items():
    try:
        call()
        print(name, 'came')
    except (NotFound, ValidationError, NotAuthorized) as e:
        print(name, type(e).__name__)
g = rdflib.Graph()
g.parse(base + '/catalog.jsonld', format='json-ld')
DCAT = rdflib.Namespace('http://www.w3.org/ns/dcat#')
print('catalogued', len(set(g.objects(None, DCAT.dataset))) == len(names), len(set(g.subjects(rdflib.RDF.type, DCAT.Distribution))) >= 4 * len(names))
import pyshacl
conforms, _, said = pyshacl.validate(g, shacl_graph=sys.argv[2], data_graph_format='json-ld', shacl_graph_format='turtle')
print('shapes', conforms)
if not conforms:
    print(said)
one = rdflib.Graph()
one.parse(base + '/data/learning/libraries/dcat.jsonld', format='json-ld')
print('single', len(set(one.subjects(rdflib.RDF.type, DCAT.Dataset))) == 1, pyshacl.validate(one, shacl_graph=sys.argv[2], shacl_graph_format='turtle')[0])
broken = rdflib.Graph()
broken.parse(base + '/catalog.jsonld', format='json-ld')
broken.remove((None, DCAT.accessURL, None))
print('broken', pyshacl.validate(broken, shacl_graph=sys.argv[2], shacl_graph_format='turtle')[0])
`

// TestCkanapiAndRdflibReadTheDemoCity plays a researcher whose tools know nothing of Maru.
func TestCkanapiAndRdflibReadTheDemoCity(t *testing.T) {
	libraries := os.Getenv("MARU_TEST_CKANAPI")
	if libraries == "" {
		t.Skip("MARU_TEST_CKANAPI doesn't say where ckanapi and rdflib are; `make test-engines` installs them and does")
	}
	c := started(t, func(c *config) { c.Demo, c.seed, c.residents = true, 1, 1000 })
	script := filepath.Join(t.TempDir(), "read.py")
	if err := os.WriteFile(script, []byte(ckanScript), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("python3", script, c.server, filepath.Join("testdata", "dcat-ap.ttl"))
	run.Env = append(os.Environ(), "PYTHONPATH="+libraries)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"packages 12", "shown True", "found 1 도서관", "paged True", "records True", "filtered True", "unknown NotFound", "invalid ValidationError", "sql NotAuthorized", "catalogued True True", "shapes True", "single True True", "broken False"} {
		if !strings.Contains(string(out), want+"\n") {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
