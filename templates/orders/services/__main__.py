from services.mail import Mail
from services.payment import Payment
from services.server import serve
from services.warehouse import Warehouse

serve({"payment": Payment(), "warehouse": Warehouse(), "mail": Mail()})
