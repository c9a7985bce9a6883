// An OpenID Connect provider on loopback, for tests: `node provider.mjs PORT CALLBACK LOGGED_OUT`.
// It has a login form; an account is whatever is typed there, with an address of that name.
import { Provider } from "oidc-provider";

const [port, callback, loggedOut] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "readback",
      client_secret: "secret-of-readback",
      application_type: "native",
      redirect_uris: [callback],
      post_logout_redirect_uris: [loggedOut],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  cookies: { keys: ["of this test"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: id.replace(/^unverified-/, ""),
      email_verified: !id.startsWith("unverified-"),
      groups: id.startsWith("ann") ? ["readers", "admins"] : ["readers"],
    }),
  }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1", () => console.log(issuer));
