# A Rails application whose users Vestibule signs in. The proxy in front of it (../nginx.conf, ../Caddyfile or
# ../envoy.yaml) lets a request through only if Vestibule says who sends it. What is Vestibule's here is `SignIn`.

require "action_controller/railtie"
require "jwt"
require "net/http"
require "rack/handler/puma"

# As browsers see it, and where this server reaches its keys.
VESTIBULE = ENV.fetch("VESTIBULE", "https://app.example/auth")
KEYS = URI(ENV.fetch("VESTIBULE_KEYS", "http://127.0.0.1:3000/auth/.well-known/jwks.json"))
ORIGIN = URI(VESTIBULE).then { |url| "#{url.scheme}://#{url.host}#{":#{url.port}" unless url.port == url.default_port}" }

# Signs the user in whom Vestibule names: at each new sign-in there, into a new session here.
module SignIn
  extend ActiveSupport::Concern

  included { before_action :sign_in }

  # The keys; fetched again for one that is not known, but not all the time.
  def self.keys(options)
    @keys = nil if options[:kid_not_found] && @fetched < 30.seconds.ago
    @keys ||= JSON.parse(Net::HTTP.get(KEYS), symbolize_names: true).tap { @fetched = Time.current }
  end

  private

  def sign_in
    claims, = JWT.decode(
      request.headers["Vestibule-Assertion"], nil, true, algorithms: ["ES256"], jwks: SignIn.method(:keys),
      iss: VESTIBULE, verify_iss: true, aud: ORIGIN, verify_aud: true
    )
    return if session[:sid] == claims["sid"]

    reset_session
    session.update(sid: claims["sid"], user: claims["sub"], name: claims["name"])
  rescue JWT::DecodeError
    render plain: "Not signed in.", status: :unauthorized
  end
end

class OrdersController < ActionController::Base
  include SignIn

  PAGE = <<~ERB
    <!DOCTYPE html><title>Orders</title><h1>Orders of <%= session[:name] %></h1>
    <p id="user"><%= session[:user] %></p><p id="address"><%= request.fullpath %></p>
    <p id="note"><%= params[:note] %></p>
    <%= form_with(url: "/orders", local: true) do %><input name="note" aria-label="Note"><button>Order</button><% end %>
    <form method="post" action="/auth/logout"><input type="hidden" name="next" value="/orders"><button>Sign out</button></form>
  ERB

  def show
    render inline: PAGE
  end
end

class App < Rails::Application
  config.load_defaults 6.1
  config.eager_load = true
  config.logger = Logger.new($stderr)
  config.log_level = :warn
  # A key of its own at each start signs everyone in anew then: set one.
  config.secret_key_base = ENV.fetch("SECRET_KEY") { SecureRandom.hex(64) }
  config.action_dispatch.cookies_serializer = :json
  config.session_store :cookie_store, key: "_app_session"
  config.hosts = [URI(VESTIBULE).host]
  routes.append { match "/orders", to: "orders#show", via: %i[get post] }
end

App.initialize!
Rack::Handler::Puma.run(App, Host: "127.0.0.1", Port: ENV.fetch("PORT", 4000), Silent: true) do |server|
  server.events.on_booted { $stdout.puts("listening").then { $stdout.flush } }
end
