-- Roles, the JWT reader and the two helpers that row-level security is written with.
--
-- Supabase brings the roles and `auth.jwt()` itself. Everything here is created only where it is
-- missing, so that the same file gives a plain Postgres the same shape. Nothing is ever added to
-- a schema `auth` that Supabase owns.

do $$
begin
  if not exists (select from pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit bypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'authenticator') then
    -- PostgREST's login role: it may become one of the three and is nothing by itself.
    create role authenticator login noinherit;
    grant anon, authenticated, service_role to authenticator;
  end if;
end $$;

grant usage on schema public to anon, authenticated, service_role;

do $$
begin
  if to_regnamespace('auth') is null then
    create schema auth;
    grant usage on schema auth to anon, authenticated, service_role;
  end if;
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb
      language sql stable
      set search_path = ''
      as $body$
        select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
      $body$;
  end if;
end $$;

-- Auth0's subject is text such as `auth0|65f0c1`, not a UUID: `auth.uid()` would raise on it.
create function public.ops_subject() returns text
  language sql stable
  set search_path = ''
  as $$ select nullif(auth.jwt() ->> 'sub', '') $$;

comment on function public.ops_subject() is
  'Auth0 subject of the caller from the verified JWT, null when there is none.';

-- The `role` claim of a Supabase JWT names a Postgres role, so the hub's roles have their own claim.
-- `?` is true only for an array that holds the role (or the very same string), never for null.
create function public.ops_has_role(wanted text) returns boolean
  language sql stable
  set search_path = ''
  as $$ select coalesce((auth.jwt() -> 'ops_roles') ? wanted, false) $$;

comment on function public.ops_has_role(text) is
  'Whether the claim `ops_roles` of the caller''s JWT, an array of text, holds a role.';

revoke all on function public.ops_subject() from public, anon;
revoke all on function public.ops_has_role(text) from public, anon;
grant execute on function public.ops_subject() to authenticated, service_role;
grant execute on function public.ops_has_role(text) to authenticated, service_role;
