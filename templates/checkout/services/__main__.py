from services.mail import Mail
from services.payment import Payment
from services.server import serve

serve({"payment": Payment(), "mail": Mail()})
