package daa

// assertionLessons are about client authentication.
var assertionLessons = map[string]lesson{
	"an Authorization header is not accepted, only private_key_jwt": {
		"Authorizationヘッダーは使えません。private_key_jwtだけを受け付けます", "OpenID Connect Core 1.0, section 9",
		"クライアントシークレットを使わず、client_assertionで認証する",
		"authenticate with client_assertion, without a client secret",
	},
	"client secrets are not accepted, only private_key_jwt": {
		"クライアントシークレットは使えません。private_key_jwtだけを受け付けます", "OpenID Connect Core 1.0, section 9",
		"クライアントシークレットを使わず、client_assertionで認証する",
		"authenticate with client_assertion, without a client secret",
	},
	"client_assertion_type must be the jwt-bearer URN": {
		"client_assertion_typeはjwt-bearerのURNにしてください", "RFC 7523, section 2.2",
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearerを送る",
		"send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	},
	"client_assertion is not a compact JWS": {
		"client_assertionがJWSのコンパクト形式ではありません", "RFC 7523, section 2.2",
		"署名したJWTをclient_assertionで送る",
		"send a signed JWT in client_assertion",
	},
	"client_assertion's sub is not a registered client": {
		"client_assertionのsubが、登録されたクライアントではありません", "RFC 7523, section 3",
		"issとsubをclient_idにする",
		"set iss and sub to the client_id",
	},
	"client_assertion's iss is not the client": {
		"client_assertionのissがクライアントと違います", "RFC 7523, section 3",
		"issとsubをclient_idにする",
		"set iss and sub to the client_id",
	},
	"client_assertion's sub is not the client": {
		"client_assertionのsubがクライアントと違います", "RFC 7523, section 3",
		"issとsubをclient_idにする",
		"set iss and sub to the client_id",
	},
	"client_assertion's aud must be the token endpoint or the issuer, and nothing beside it": {
		"client_assertionのaudは、トークンエンドポイントか発行者だけにしてください", "RFC 7523, section 3",
		"audを、このサービスのトークンエンドポイントか発行者(issuer)の文字列1つにする",
		"set aud to the token endpoint or the issuer of this service, as one string",
	},
	"client_assertion's aud must be the issuer as a single string": {
		"client_assertionのaudは、発行者(issuer)の文字列1つにしてください", "RFC 10070; FAPI 2.0 Security Profile, section 5.3.2.1",
		"audを発行者(issuer)の文字列1つにする",
		"set aud to the issuer, as one string",
	},
	"client_assertion's jti is missing": {
		"client_assertionにjtiがありません", "OpenID Connect Core 1.0, section 9",
		"アサーションごとに、新しい乱数のjti(255文字以内)を入れる",
		"put a fresh random jti of at most 255 characters into every assertion",
	},
	"client_assertion's exp is missing or no number": {
		"client_assertionのexpがないか、数ではありません", "RFC 7519, section 4.1.4",
		"expを、1970年からの秒数のJSONの数にする",
		"set exp to seconds since 1970, as a JSON number",
	},
	"client_assertion is expired": {
		"client_assertionの有効期限が切れています", "RFC 7519, section 4.1.4",
		"アサーションは要求の直前に作る。両方の時計を比べる",
		"make the assertion immediately before the request; compare the clocks",
	},
	"client_assertion is not yet valid": {
		"client_assertionはまだ有効ではありません", "RFC 7519, section 4.1.5",
		"nbfを入れない。両方の時計を比べる",
		"leave nbf out; compare the clocks",
	},
	"client_assertion's iat is missing": {
		"client_assertionにiatがありません", "FAPI 2.0 Security Profile",
		"iatを現在の時刻にする",
		"set iat to the present time",
	},
	"client_assertion's iat is in the future": {
		"client_assertionのiatが未来の時刻です", "RFC 7519, section 4.1.6",
		"両方の時計を比べる",
		"compare the clocks",
	},
	"client_assertion was issued too far in the past": {
		"client_assertionが作られてから時間がたちすぎています", "Keycloak since 26.0.10, 26.1.3 and 26.2",
		"アサーションは要求の直前に作る",
		"make the assertion immediately before the request",
	},
	"client_assertion's exp is too far in the future": {
		"client_assertionのexpが先すぎます", "FAPI 2.0 Security Profile",
		"expを、iatから60秒以内にする",
		"set exp at most 60 seconds after iat",
	},
	"client_assertion's exp is too far in the future and iat is missing": {
		"client_assertionのexpが先すぎ、iatもありません", "Keycloak since 26.0.10, 26.1.3 and 26.2",
		"iatを入れるか、expを60秒以内にする",
		"set iat, or exp at most 60 seconds ahead",
	},
	"client_assertion's alg is not accepted": {
		"client_assertionのalgは受け付けられません", "FAPI 2.0 Security Profile, section 5.4.1",
		"ES256かPS256で署名し、その鍵を登録する",
		"sign with ES256 or PS256, and register such a key",
	},
	"client_assertion was used before": {
		"client_assertionは使用済みです", "OpenID Connect Core 1.0, section 9",
		"再送のときも、要求ごとに新しいアサーションを作る",
		"make a new assertion for every request, also for repetitions",
	},
	"client_assertion's signature does not verify": {
		"client_assertionの署名を検証できません", "RFC 7523, section 3",
		"登録した鍵と対になる秘密鍵で署名する",
		"sign with the private half of the registered key",
	},
	"client_id in the form is not the assertion's subject": {
		"フォームのclient_idが、アサーションのsubと違います", "RFC 7521, section 4.2",
		"クライアント自身のclient_idを送るか、送らない",
		"send the client's own client_id, or none",
	},
	"client_assertion's claims are not a JSON object": {
		"client_assertionの中身がJSONオブジェクトではありません", "RFC 7519, section 3",
		"ペイロードをJSONオブジェクト1つにし、クレームはそれぞれ1回だけ書く",
		"make the payload one JSON object, and name each claim once",
	},
	"client_assertion has no kid": {
		"client_assertionにkidがありません", "RFC 7515, section 4.1.4",
		"登録したkidをヘッダーに入れる",
		"put the registered kid into the header",
	},
	"client_assertion's typ is not the required one": {
		"client_assertionのtypが、求められたものではありません", "RFC 7515, section 4.1.9",
		"ヘッダーのtypを、サービスが求める値にする",
		"set typ in the header to what the service asks for",
	},
	"client_assertion's iat is no number": {
		"client_assertionのiatが数ではありません", "RFC 7519, section 4.1.6",
		"iatを、1970年からの秒数のJSONの数にする",
		"set iat to seconds since 1970, as a JSON number",
	},
	"client_assertion's kid names no registered key: the key was registered as PEM": {
		"client_assertionのkidに当たる鍵が登録されていません(鍵はPEMで登録されています)", "Keycloak",
		"kidを送らないか、鍵をJWK Setで登録する。PEMで登録したECの鍵は見つからない",
		"send no kid, or register the key as a JWK Set; an EC key registered as PEM is never found",
	},
	"the client's JWK Set cannot be fetched": {
		"クライアントのJWK Setを取得できません", "RFC 7591, section 2",
		"登録したアドレスでJWK Setを公開する",
		"serve it at the registered address",
	},
	"client_assertion's kid is not the registered one": {
		"client_assertionのkidが、登録されたものと違います", "RFC 7515, section 4.1.4",
		"登録したkidを送るか、送らない",
		"send the registered kid, or none",
	},
	"client_assertion's alg is not the registered one, or not accepted": {
		"client_assertionのalgが、登録されたものと違うか、受け付けられません", "RFC 7515, section 4.1.1",
		"登録したアルゴリズムで署名する",
		"sign with the registered algorithm",
	},
}
