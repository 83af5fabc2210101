import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.net.URI;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.Base64;

/** The Nimbus SDK in its default configuration logs in and signs at the simulated service, steered by the control API. */
public class Login {
  static final String BASE = System.getenv("BASE");
  static final Path DIR = Path.of(System.getenv("DIR"));
  static final URI REDIRECT = URI.create("https://shop.example/callback");
  static final ClientID ID = new ClientID("RPjava");
  static final HttpClient HTTP = HttpClient.newHttpClient();
  static OIDCProviderMetadata op;
  static RSAKey key;

  static String call(String method, String path, String bearer, String body) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(BASE + path)).header("Authorization", "Bearer " + bearer);
    request = body == null ? request.method(method, HttpRequest.BodyPublishers.noBody())
        : request.header("Content-Type", "application/json").method(method, HttpRequest.BodyPublishers.ofString(body));
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  /** The person: one call takes the authorization URL and gives the callback URL. */
  static URI approve(URI authorization) throws Exception {
    var token = Files.readString(DIR.resolve("control.token")).trim();
    var answer = JSONObjectUtils.parse(call("POST", "/control/visits", token, "{\"authorization_url\":\"" + authorization + "\"}"));
    if (!"approved".equals(answer.get("outcome"))) throw new IllegalStateException(answer.toString());
    return URI.create((String) answer.get("callback_url"));
  }

  static PrivateKeyJWT credentials() throws Exception {
    return new PrivateKeyJWT(ID, op.getTokenEndpointURI(), JWSAlgorithm.RS256, key.toRSAPrivateKey(), key.getKeyID(), null);
  }

  static AccessToken login(Scope scope, String transaction) throws Exception {
    var state = new State();
    var nonce = new Nonce();
    var verifier = new CodeVerifier();
    var request = new AuthenticationRequest.Builder(new ResponseType("code"), scope, ID, REDIRECT)
        .endpointURI(op.getAuthorizationEndpointURI()).state(state).nonce(nonce).codeChallenge(verifier, CodeChallengeMethod.S256);
    if (transaction != null) request.customParameter("sign_transaction_id", transaction);
    var callback = AuthenticationResponseParser.parse(approve(request.build().toURI())).toSuccessResponse();
    if (!state.equals(callback.getState())) throw new IllegalStateException("state");
    var grant = new AuthorizationCodeGrant(callback.getAuthorizationCode(), REDIRECT, verifier);
    var response = OIDCTokenResponseParser.parse(new TokenRequest(op.getTokenEndpointURI(), credentials(), grant).toHTTPRequest().send());
    if (!response.indicatesSuccess()) throw new IllegalStateException(response.toErrorResponse().toJSONObject().toString());
    var tokens = ((OIDCTokenResponse) response.toSuccessResponse()).getOIDCTokens();
    new IDTokenValidator(op.getIssuer(), ID, JWSAlgorithm.ES256, op.getJWKSetURI().toURL()).validate(tokens.getIDToken(), nonce);
    return tokens.getAccessToken();
  }

  public static void main(String[] args) throws Exception {
    op = OIDCProviderMetadata.resolve(new Issuer(BASE + "/api/realms/main"));
    key = RSAKey.parse(Files.readString(DIR.resolve("java.jwk")));

    var access = login(new Scope("openid", "name", "address", "birthdate", "gender"), null);
    var info = new UserInfoRequest(op.getUserInfoEndpointURI(), access).toHTTPRequest().send().getBodyAsJSONObject();
    for (var name : new String[] {"name", "address", "birthdate", "gender"}) {
      if (info.get(name) == null) throw new IllegalStateException(info.toString());
    }

    var service = TokenResponse.parse(new TokenRequest(op.getTokenEndpointURI(), credentials(), new ClientCredentialsGrant())
        .toHTTPRequest().send()).toSuccessResponse().getTokens().getAccessToken();
    var hash = Base64.getEncoder().encodeToString(
        MessageDigest.getInstance("SHA-256").digest("利用規約に同意します。".getBytes(StandardCharsets.UTF_8)));
    var started = JSONObjectUtils.parse(call("POST", "/api/sign-transactions", service.getValue(),
        "{\"client_id\":\"RPjava\",\"hash\":\"" + hash + "\",\"hash_algorithm\":\"SHA-256\"}"));
    var transaction = (String) started.get("sign_transaction_id");
    var result = JSONObjectUtils.parse(
        call("GET", "/api/sign-transactions/" + transaction + "/result", login(new Scope("openid", "sign"), transaction).getValue(), null));
    if (((String) result.get("signature_jwe")).split("\\.").length != 5) throw new IllegalStateException("no sealed result");
    System.out.println("Nimbus: logged in and signed");
  }
}
