package daa

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// choices are the words that a knob of a type may have beside "", its default.
var choices = map[reflect.Type][]string{
	reflect.TypeFor[Handover]():             words(HandoverNever, HandoverAlways),
	reflect.TypeFor[CallbackIssuer]():       words(CallbackIssuerOn, CallbackIssuerWrong, CallbackIssuerMissing),
	reflect.TypeFor[AccessTokenAlgorithm](): words(AccessTokenES256),
	reflect.TypeFor[AssertionProfile]():     words(AssertionKeycloak260, AssertionKeycloak264, AssertionStrictFAPI2),
	reflect.TypeFor[IDTokenFault](): words(
		FaultNonce,
		FaultIssuer,
		FaultAudience,
		FaultAccessTokenHash,
		FaultForeignKey,
		FaultSignature,
		FaultAlgNone,
		FaultAlgHS256,
		FaultExpired,
		FaultFutureIssuedAt,
		FaultKeyType,
		FaultUnknownKeyID,
		FaultAccessTokenType,
	),
	reflect.TypeFor[RefreshMode]():   words(RefreshOn, RefreshRotating, RefreshReuseDetection),
	reflect.TypeFor[UserinfoForm]():  words(UserinfoSigned, UserinfoEncrypted, UserinfoSignedEncrypted, UserinfoForged),
	reflect.TypeFor[AddressForm]():   words(AddressObject),
	reflect.TypeFor[BirthdateForm](): words(BirthdateISO, BirthdateUnknownDay, BirthdateUnknownMonth),
	reflect.TypeFor[GenderForm]():    words(GenderWord, GenderUnlisted),
	reflect.TypeFor[NameSeparator](): words(NameHalfWidth, NameUnseparated),
	reflect.TypeFor[Discovery]():     words(DiscoveryOff, DiscoveryWrongIssuer),
	reflect.TypeFor[Endpoint](): words(EndpointAuthorization, EndpointToken, EndpointUserinfo, EndpointKeys,
		EndpointDiscovery, EndpointSign, EndpointOperator),
	reflect.TypeFor[platform.Answer](): words(platform.Answers()...),
	reflect.TypeFor[NetworkFault](): words(NetworkStatus, NetworkHTMLPage, NetworkReset, NetworkTruncated,
		NetworkOversize, NetworkSlow),
}

func words[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

// MarshalJSON writes every knob, see [Knobs].
func (k Knobs) MarshalJSON() ([]byte, error) { return json.Marshal(plain(reflect.ValueOf(k))) }

// UnmarshalJSON changes the knobs that are present. What is not known as a knob or as a value of one is an *[Error]
// that names it.
func (k *Knobs) UnmarshalJSON(b []byte) error {
	changed := *k
	if err := set(reflect.ValueOf(&changed).Elem(), b, "knobs"); err != nil {
		return err
	}
	if err := changed.check(); err != nil {
		return err
	}
	*k = changed
	return nil
}

// check refuses values with which the service could not answer, or would answer something else than they say.
func (k Knobs) check() error {
	if s := k.Network.Status; s != 0 && (s < http.StatusOK || s > 599) {
		return configError("knobs.network.status: must be from 200 to 599", nil)
	}
	algorithms := words(jose.ES256, jose.RS256, jose.PS256)
	if alg := k.Token.IDToken.Algorithm; alg != "" && !slices.Contains(algorithms, alg) {
		return configError(fmt.Sprintf("knobs.token.id_token.algorithm: must be one of %q", algorithms), nil)
	}
	return nil
}

// plain is what encoding/json writes for a knob.
func plain(v reflect.Value) any {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return time.Duration(v.Int()).String()
	case v.Kind() == reflect.Struct:
		members := make(map[string]any, v.NumField())
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Type.Kind() != reflect.Func {
				members[snake(f.Name)] = plain(v.Field(i))
			}
		}
		return members
	default:
		return v.Interface()
	}
}

// set reads a knob.
func set(v reflect.Value, raw json.RawMessage, path string) error {
	refused := func(why string) error { return configError(path+": "+why, nil) }
	if v.Type() == reflect.TypeFor[time.Duration]() {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return refused(`must be a time like "90s"`)
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return refused(`must be a time like "90s"`)
		}
		v.SetInt(int64(d))
		return nil
	}
	if v.Kind() != reflect.Struct {
		fresh := reflect.New(v.Type())
		if json.Unmarshal(raw, fresh.Interface()) != nil {
			return refused("must be " + article(v.Type()))
		}
		if !allowed(fresh.Elem()) {
			return refused(fmt.Sprintf("must be one of %q", choices[element(v.Type())]))
		}
		v.Set(fresh.Elem())
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return refused("must be an object")
	}
	known := make([]string, 0, v.NumField())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type.Kind() == reflect.Func {
			continue
		}
		name := snake(f.Name)
		known = append(known, name)
		if one, present := members[name]; present {
			if err := set(v.Field(i), one, path+"."+name); err != nil {
				return err
			}
			delete(members, name)
		}
	}
	if len(members) > 0 {
		return refused(fmt.Sprintf("knows %q and nothing else", known))
	}
	return nil
}

// allowed reports whether a word, or each of a list, is one of its type's.
func allowed(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if !allowed(v.Index(i)) {
				return false
			}
		}
		return true
	}
	list, limited := choices[v.Type()]
	return !limited || v.String() == "" || slices.Contains(list, v.String())
}

func element(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

// articles says what a kind of knob takes.
var articles = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Slice: "a list of texts",
	reflect.Map: "an object", reflect.String: "a text",
}

func article(t reflect.Type) string { return cmp.Or(articles[t.Kind()], articles[reflect.String]) }

// snake writes a Go name in snake case: IDToken is id_token, GrantOnly is grant_only.
func snake(name string) string {
	name = strings.NewReplacer("JWE", "Jwe", "IDs", "Ids", "QR", "Qr").Replace(name)
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
