package httpd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// plainQuery refuses parameters that would be passed over: all but the first of those given twice, and numbers, truth values and words of a list that are empty.
func plainQuery(ctx huma.Context, next func(huma.Context)) {
	address := ctx.URL()
	query := address.Query()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		message := ""
		if len(query[name]) > 1 {
			message = "expected one value"
		} else if query.Get(name) == "" {
			message = emptyIs(ctx.Operation(), name)
		}
		if message != "" {
			errs = append(errs, &huma.ErrorDetail{Location: "query." + name, Message: message})
		}
	}
	if len(errs) == 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	Fail(w, r, huma.NewErrorWithContext(ctx, http.StatusUnprocessableEntity, "validation failed", errs...))
}

// emptyIs says why a parameter of an operation can't be empty; "" where it can.
func emptyIs(op *huma.Operation, name string) string {
	for _, p := range op.Parameters {
		if p.In != "query" || p.Name != name {
			continue
		}
		switch {
		case p.Schema.Type != huma.TypeString:
			return "expected " + p.Schema.Type
		case len(p.Schema.Enum) > 0:
			return fmt.Sprintf("expected value to be one of %q", p.Schema.Enum)
		case p.Schema.MinLength != nil && *p.Schema.MinLength > 0:
			return fmt.Sprintf("expected length >= %d", *p.Schema.MinLength)
		}
	}
	return ""
}

// unmarshal reads JSON. Whole numbers that are written with a fraction or an exponent, as 5.0, are integers to JSON Schema and to programs that know
// no others, but not to Go.
func unmarshal(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	wrong := &json.UnmarshalTypeError{}
	if !errors.As(err, &wrong) || !strings.HasPrefix(wrong.Value, "number") {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var read any
	if err := d.Decode(&read); err != nil {
		return err
	}
	if text, err = json.Marshal(wholeNumbers(read)); err != nil {
		return err
	}
	if err = json.Unmarshal(text, v); errors.As(err, &wrong) && strings.HasPrefix(wrong.Value, "number") {
		return fmt.Errorf("expected integer of 64 bits in %s", wrong.Field)
	}
	return err
}

// wholeNumbers writes the whole numbers of a JSON value, as a decoder with UseNumber reads it, without fraction and exponent.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = wholeNumbers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = wholeNumbers(v[i])
		}
	case json.Number:
		if digits, rest, cut := strings.Cut(v.String(), "."); cut && strings.Trim(rest, "0") == "" {
			return json.Number(digits)
		}
		if f, err := v.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 { // above it not every one is a float
			return json.Number(strconv.FormatInt(int64(f), 10))
		}
	}
	return v
}
